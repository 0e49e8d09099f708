"""What the browser's learner types: for two exercises of each lesson a wrong and a right answer.

None of the right ones is the solution that the course shows.
"""

from __future__ import annotations

from typing import NamedTuple


class Answers(NamedTuple):
    """The answers to one exercise: whole cells."""

    exercise: str
    wrong: str
    right: str


ANSWERS: dict[str, tuple[Answers, Answers]] = {
    "02_inside_a_token": (
        Answers(
            "q1",
            "decode_part = lambda text: base64.b64decode(text + '==')",
            "def decode_part(text):\n"
            "    while len(text) % 4:\n"
            "        text += '='\n"
            "    return base64.b64decode(text.translate(str.maketrans('-_', '+/')))\n",
        ),
        Answers(
            "q4",
            "def is_over(token, now):\n"
            "    return json.loads(decode_part(token.split('.')[1]))['exp'] < now\n",
            "import jwt\n\n"
            "def is_over(token, now):\n"
            "    read = jwt.decode(token, options={'verify_signature': False})\n"
            "    return not now < read['exp']\n",
        ),
    ),
    "03_step_the_refresh": (
        Answers(
            "q1",
            'predictions = {letter: ["call", "refresh", "retry"] for letter in "abcdefg"}',
            "whole = 'call', 'refresh', 'retry'\n"
            "messages = {'a': 1, 'b': 3, 'c': 2, 'd': 3, 'e': 1, 'f': 2, 'g': 3}\n"
            "predictions = {letter: whole[:count] for letter, count in messages.items()}\n",
        ),
        Answers(
            "q2",
            "def my_flow(request, store):\n"
            "    response = yield with_bearer(request, store.get())\n"
            "    if response.status_code == 403:\n"
            "        answer = yield refresh_request(store.get())\n"
            "        store.set(store.get().with_access(answer.json()['accessToken']))\n"
            "        again = replace(request, purpose='retry')\n"
            "        response = yield with_bearer(again, store.get())\n"
            "    return response\n",
            "def refreshing(pair, store):\n"
            "    answer = yield refresh_request(pair)\n"
            "    if answer.status_code >= 400:\n"
            "        store.replace(pair, None)\n"
            "        raise LoginRequired('log in')\n"
            "    store.replace(pair, pair.with_access(answer.json()['accessToken']))\n\n\n"
            "def my_flow(request, store):\n"
            "    pair = store.get()\n"
            "    response = yield with_bearer(request, pair)\n"
            "    if pair is not None and response.status_code == 403:\n"
            "        yield from refreshing(pair, store)\n"
            "        response = yield with_bearer(replace(request, purpose='retry'), store.get())\n"
            "    return response\n",
        ),
    ),
    "04_two_faults": (
        Answers(
            "q1",
            "class FixedAuth(ArticleAuth):\n"
            "    refresh = property(lambda self: False, lambda self, value: None)\n",
            "class FixedAuth(ArticleAuth):\n"
            "    def auth_flow(self, request):\n"
            "        pair = self._store.get()\n"
            "        response = yield with_bearer(request, pair)\n"
            "        if pair is None or response.status_code != 403:\n"
            "            return response\n"
            "        answer = yield replace(refresh_request(pair), replaces=None)\n"
            "        if answer.status_code != 200:\n"
            "            return answer\n"
            "        fresh = pair.with_access(read_token(answer, 'accessToken'))\n"
            "        self._store.set(fresh)\n"
            "        return (yield with_bearer(replace(request, purpose='retry'), fresh))\n",
        ),
        Answers(
            "q2",
            "class OwnState(ArticleAuth):\n"
            "    def auth_flow(self, request):\n"
            "        answer = yield from super().auth_flow(request)\n"
            "        self.refresh = False\n"
            "        return answer\n",
            "OwnState = FixedAuth",
        ),
    ),
    "05_stampede": (
        Answers(
            "q1",
            'forecast = {"refreshes": 1, "answers": 9, "refused": 0}',
            "down = [call for call in range(1, 10) if call % 2]\n"
            "forecast = dict(refreshes=len(down), answers=len(down), refused=9 - len(down))\n",
        ),
        Answers(
            "q3",
            "my_window = lambda lifetime: 10",
            "def my_window(lifetime):\n    return lifetime / 5 if lifetime < 50 else 10\n",
        ),
    ),
    "06_rotation_and_theft": (
        Answers(
            "q1",
            "def spend(collection, jti, now):\n"
            "    token = collection.find_one({'_id': jti})\n"
            "    if token is None or token['spent_at'] is not None:\n"
            "        return False\n"
            "    collection.update_one({'_id': jti}, {'$set': {'spent_at': now}})\n"
            "    return True\n",
            "def spend(collection, jti, now):\n"
            "    unspent = {'_id': jti, 'spent_at': None}\n"
            "    change = {'$set': {'spent_at': now}}\n"
            "    return collection.find_one_and_update(unspent, change) is not None\n",
        ),
        Answers(
            "q2",
            "def what_follows(spent_at, now, grace):\n"
            "    if not spent_at:\n"
            "        return 'spend'\n"
            "    return 'repeat' if now <= spent_at + grace else 'revoke'\n",
            "def what_follows(spent_at, now, grace):\n"
            "    if spent_at is not None:\n"
            "        return 'revoke' if now >= spent_at + grace else 'repeat'\n"
            "    return 'spend'\n",
        ),
    ),
    "07_from_403_to_401": (
        Answers(
            "q1",
            "def parameters(header):\n"
            "    parts = [part.partition('=') for part in header[7:].split(',') if part]\n"
            "    return {name.strip().lower(): value.strip('\"') for name, _, value in parts}\n",
            "def parameters(header):\n"
            "    rest, read = header.partition(' ')[2].strip(), {}\n"
            "    while rest:\n"
            "        name, _, rest = rest.partition('=')\n"
            "        value = ''\n"
            "        if rest.startswith('\"'):\n"
            "            rest = rest[1:]\n"
            "            while not rest.startswith('\"'):\n"
            "                rest = rest[1:] if rest.startswith('\\\\') else rest\n"
            "                value, rest = value + rest[0], rest[1:]\n"
            "            rest = rest[1:].lstrip(', ')\n"
            "        else:\n"
            "            value, _, rest = rest.partition(',')\n"
            "        read[name.strip().lower()] = value.strip()\n"
            "        rest = rest.strip()\n"
            "    return read\n",
        ),
        Answers(
            "q3",
            "answer = lambda reason: (401, 'Bearer error=\"invalid_token\"')",
            "KNOWN = {\n"
            "    'no token': (401, ''),\n"
            "    'two tokens': (400, ', error=\"invalid_request\"'),\n"
            "    'no right': (403, ', error=\"insufficient_scope\"'),\n"
            "}\n\n"
            "def answer(reason):\n"
            "    status, rest = KNOWN.get(reason, (401, ', error=\"invalid_token\"'))\n"
            "    return status, f'Bearer realm=\"mine\"{rest}'\n",
        ),
    ),
    "08_attacks": (
        Answers(
            "q3",
            "import bcrypt\n\n"
            "def check_login(users, body):\n"
            "    user = users.find_one({'username': body['username']})\n"
            "    if user is None:\n"
            "        return None\n"
            "    right = bcrypt.checkpw(body['password'].encode(), user['password'].encode())\n"
            "    return user['username'] if right else None\n",
            "import bcrypt\n\n"
            "NOBODY = bcrypt.hashpw(b'nobody', bcrypt.gensalt(4)).decode()\n\n"
            "def check_login(users, body):\n"
            "    match body:\n"
            "        case {'username': str(name), 'password': str(password)}:\n"
            "            user = users.find_one({'username': name})\n"
            "            stored = (user['password'] if user else NOBODY).encode()\n"
            "            right = bcrypt.checkpw(password.encode(), stored)\n"
            "            return name if user and right else None\n",
        ),
        Answers(
            "q4",
            "def find_tokens(notebook):\n"
            "    outputs = [o for cell in notebook['cells'] for o in cell.get('outputs', [])]\n"
            "    return grep_tokens(''.join(str(o.get('text', '')) for o in outputs))\n",
            "def find_tokens(notebook):\n"
            "    for cell in notebook['cells']:\n"
            "        if cell['cell_type'] == 'code':\n"
            "            yield from grep_tokens(json.dumps(cell['outputs']))\n",
        ),
    ),
    "09_break_and_fix": (
        Answers(
            "q1",
            "fixed_1 = FlagAuth",
            "class PerCall(BearerAuth):\n"
            "    def auth_flow(self, request):\n"
            "        pair = self._store.get()\n"
            "        response = yield with_bearer(request, pair)\n"
            "        if pair is None or response.status_code not in (401, 403):\n"
            "            return response\n"
            "        if response.json().get('error') == 'insufficient_scope':\n"
            "            return response\n"
            "        pair = yield from self._refreshed(pair)\n"
            "        return (yield with_bearer(replace(request, purpose='retry'), pair))\n\n\n"
            "fixed_1 = PerCall\n",
        ),
        Answers(
            "q7",
            "class Sooner(WatchAuth):\n"
            "    def _nearly_over(self, pair):\n"
            "        return True\n\n\n"
            "fixed_7 = Sooner\n",
            "class Never(BearerAuth):\n"
            "    def _nearly_over(self, pair):\n"
            "        return False\n\n\n"
            "fixed_7 = Never\n",
        ),
    ),
    "10_where_tokens_live": (
        Answers(
            "q1",
            "refresh_cookie = lambda token: f'refresh={token}; HttpOnly; Secure; SameSite=Strict'",
            "from http.cookies import SimpleCookie\n\n"
            "def refresh_cookie(token):\n"
            "    cookie = SimpleCookie({'refresh': token})\n"
            "    cookie['refresh'].update({'httponly': True, 'secure': True, 'samesite': 'Lax'})\n"
            "    cookie['refresh']['path'] = '/refresh'\n"
            "    return cookie['refresh'].OutputString()\n",
        ),
        Answers(
            "q3",
            "def is_revoked(claims, ended, everywhere):\n"
            "    old = claims['iat'] < everywhere.get(claims['sub'], 0)\n"
            "    return old or claims['sid'] in ended\n",
            "def is_revoked(claims, ended, everywhere):\n"
            "    if claims['sub'] in everywhere and everywhere[claims['sub']] >= claims['iat']:\n"
            "        return True\n"
            "    return bool({claims['sid']} & ended)\n",
        ),
    ),
    "11_keys": (
        Answers(
            "q2",
            "def schedule(now, lifetime, max_age):\n"
            "    return Schedule(publish=now, sign=now, retire=now + lifetime)\n",
            "def schedule(now, lifetime, max_age):\n"
            "    moments = [now, now + max_age, now + max_age + lifetime]\n"
            "    return Schedule(*moments)\n",
        ),
        Answers(
            "q3",
            "def choose_key(header, jwks):\n"
            "    for jwk in jwks['keys']:\n"
            "        if jwk['kid'] == header['kid']:\n"
            "            return jwk\n",
            "def choose_key(header, jwks):\n"
            "    wanted = header.get('kid'), 'sig', header.get('alg')\n"
            "    known = {(jwk['kid'], jwk['use'], jwk['alg']): jwk for jwk in jwks['keys']}\n"
            "    return known.get(wanted) if all(isinstance(w, str) for w in wanted) else None\n",
        ),
    ),
    "12_two_tabs": (
        Answers(
            "q1",
            "def refresh_under_lock(tab):\n"
            "    with tab.lock:\n"
            "        fresh = tab.send(tab.pair)\n"
            "        tab.store.set(fresh)\n"
            "        return fresh\n",
            "def refresh_under_lock(tab):\n"
            "    tab.lock.acquire()\n"
            "    try:\n"
            "        held = tab.store.get()\n"
            "        if held.refresh == tab.pair.refresh:\n"
            "            held = tab.send(held)\n"
            "            tab.store.set(held)\n"
            "        return held\n"
            "    finally:\n"
            "        tab.lock.release()\n",
        ),
        Answers(
            "q2",
            "goes_on = lambda grace, gap, successor_used: gap <= grace",
            "goes_on = lambda grace, gap, successor_used: not (successor_used or gap >= grace)",
        ),
    ),
}
