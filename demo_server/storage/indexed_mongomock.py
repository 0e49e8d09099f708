"""mongomock with indexes, and with a cleanup whose cost has a bound.

mongomock examines every document at every operation. These classes change that in two places:

- **Lookups.** A query whose first field is `_id`, or has an index, and is compared with a plain
  value examines only the documents with that value. mongomock checks a unique index with such a
  query too. Every other query is mongomock's own, and so is every operation.
- **Cleanup.** mongomock checks each document against a TTL index whenever it reads. Here the store
  knows when each document expires, and each insert checks `CHECKED` of them, the next in turn. So
  an expired document stays until its turn comes, as it does in MongoDB, where a background task
  deletes once a minute.

An index only selects candidates, and mongomock's filter decides whether they match. So an index
must never omit a document that matches; one too many does no harm. A document is indexed when it
is stored, and indexed again when an update has changed it in place.

docs/upstream-mongomock.md describes the same change as a patch for mongomock itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from math import inf
from typing import Any

from mongomock import ObjectId
from mongomock.collection import Collection
from mongomock.database import Database
from mongomock.filtering import filter_applies
from mongomock.mongo_client import MongoClient
from mongomock.store import CollectionStore, DatabaseStore, ServerStore

from .. import clock

#: How many stored documents an insert checks for their expiry. With n, at most 1 in n of the
#: stored documents is an expired one whose turn has not come.
CHECKED = 8

#: The types whose values an index tells apart. Of these, equal values have equal hashes, and
#: mongomock compares them with `==`.
_PLAIN = (str, int, float, bool, bytes, ObjectId)

#: The place in an index of all other values. A list is there, because it matches each of its items.
_OTHERS = object()


class IndexedStore(CollectionStore):
    """The documents of one collection, with an index for `_id` and each that `create_index` adds.

    mongomock returns documents in the order in which they were inserted. So each has a number, and
    an index maps a value to the numbers of the documents that have it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._clear()

    def _clear(self) -> None:
        self._next = count()
        self._numbers: dict[int, int] = {}  # by the identity of a document
        self._indexes: dict[str, dict[object, dict[int, Any]]] = {"_id": {}}
        self._expiries: dict[int, float] = {}  # by number, in seconds since `_EPOCH`
        self._turns: deque[tuple[Any, int]] = deque()  # keys and numbers, the next to check first

    def __setitem__(self, key: Any, document: Any) -> None:
        replaced = self._documents.get(key)
        if replaced is None:
            self._check_some()
            number = next(self._next)
            if self._ttl_indexes:
                self._turns.append((key, number))
        else:
            self._remove(replaced)
            number = self._numbers.pop(id(replaced))
        super().__setitem__(key, document)
        self._numbers[id(document)] = number
        self._add(document)

    def __delitem__(self, key: Any) -> None:
        document = self._documents[key]
        super().__delitem__(key)
        self._remove(document)
        self._expiries.pop(self._numbers.pop(id(document)), None)

    def drop(self) -> None:
        super().drop()
        self._clear()

    def create_index(self, index_name: str, index_dict: dict[str, Any]) -> None:
        is_new = index_name not in self.indexes
        super().create_index(index_name, index_dict)
        fields = [field for field, _ in index_dict["key"]]
        if "expireAfterSeconds" in index_dict:
            if is_new and not self._turns:
                keys = self._documents.items()
                self._turns.extend((key, self._numbers[id(each)]) for key, each in keys)
            for document in self._documents.values():
                self._note_expiry(document)
        elif len(fields) == 1 and fields[0] not in self._indexes and "." not in fields[0]:
            self._indexes[fields[0]] = {}
            for document in self._documents.values():
                self._add(document, fields[0])

    def candidates(self, query: object) -> list[Any] | None:
        """The documents that may match, in order; None if no index answers the query.

        Only the first field counts: mongomock compares fields in order, so a document that does
        not match there never reaches the others, which may raise.
        """
        if not isinstance(query, dict) or not query:
            return None
        field, value = next(iter(query.items()))
        index = self._indexes.get(field)
        if index is None or type(value) not in _PLAIN:
            return None
        found = {**index.get(value, {}), **index.get(_OTHERS, {})}
        return [found[number] for number in sorted(found)]

    @contextmanager
    def changing(self, document: Any) -> Iterator[None]:
        """Index a document again when the block, which changes it, has ended or failed."""
        stored = id(document) in self._numbers  # an upsert builds its document before it stores it
        if stored:
            self._remove(document)
        try:
            yield
        finally:
            if stored:
                self._add(document)

    def _add(self, document: Mapping[str, Any], *fields: str) -> None:
        number = self._numbers[id(document)]
        for field in fields or self._indexes:
            place = _place(document.get(field))
            if place is not None:
                self._indexes[field].setdefault(place, {})[number] = document
        if self._ttl_indexes:
            self._note_expiry(document)

    def _remove(self, document: Mapping[str, Any]) -> None:
        number = self._numbers[id(document)]
        for field, index in self._indexes.items():
            place = _place(document.get(field))
            if place is not None:
                del index[place][number]
                if not index[place]:
                    del index[place]

    def _remove_expired_documents(self) -> None:
        """Do nothing: mongomock would check every document whenever it reads."""

    def _check_some(self) -> None:
        """Delete the expired ones of the next documents in turn."""
        now = _seconds(clock.utc_now().replace(tzinfo=None))  # without a zone, as stored
        for _ in range(min(CHECKED, len(self._turns))):
            key, number = self._turns.popleft()
            expiry = self._expiries.get(number)
            if expiry is None:
                continue  # it was deleted
            if expiry <= now:
                del self[key]
            else:
                self._turns.append((key, number))

    def _note_expiry(self, document: Mapping[str, Any]) -> None:
        """Note when a document expires. Of several dates the earliest counts."""
        expiry = inf
        for index in self._ttl_indexes.values():
            [(field, _)] = index["key"]
            value = document.get(field)
            for date in value if isinstance(value, list) else [value]:
                if isinstance(date, datetime):
                    expiry = min(expiry, _seconds(date) + index["expireAfterSeconds"])
        self._expiries[self._numbers[id(document)]] = expiry


_EPOCH = datetime(1970, 1, 1)


def _seconds(date: datetime) -> float:
    return (date - _EPOCH).total_seconds()


def _place(value: object) -> object:
    """Where an index keeps a value; None for None, which no plain value is equal to."""
    return value if value is None or type(value) in _PLAIN else _OTHERS


class IndexedCollection(Collection):
    """A collection that asks its store's indexes first."""

    def _iter_documents(self, filter: Any) -> Iterator[Any]:
        candidates = self._store.candidates(filter)
        if candidates is None:
            documents: Iterator[Any] = super()._iter_documents(filter)
            return documents
        return (each for each in candidates if filter_applies(filter, each))

    def _apply_update_document(self, existing_document: Any, *args: Any) -> None:
        with self._store.changing(existing_document):
            super()._apply_update_document(existing_document, *args)

    def _apply_update_pipeline(self, existing_document: Any, *args: Any) -> None:
        with self._store.changing(existing_document):
            super()._apply_update_pipeline(existing_document, *args)

    def with_options(self, *args: Any, **options: Any) -> IndexedCollection:
        """The collection with other options, and with the same indexes."""
        plain: Collection = super().with_options(*args, **options)
        if plain is self:
            return self
        return IndexedCollection(
            self.database,
            self.name,
            self._db_store,
            plain._write_concern,
            plain._read_concern,
            plain._read_preference,
            plain._codec_options,
        )


class IndexedDatabase(Database):
    """A database of such collections."""

    def get_collection(self, name: str, *args: Any, **options: Any) -> IndexedCollection:
        """The collection of that name; without options always the same object."""
        if name not in self._collection_accesses:
            self._ensure_valid_collection_name(name)
            self._collection_accesses[name] = IndexedCollection(self, name, self._store)
        collection: IndexedCollection = self._collection_accesses[name]
        return collection.with_options(*args, **options) if args or options else collection

    def with_options(self, *args: Any, **options: Any) -> IndexedDatabase:
        """The database with other options, over the same collections."""
        plain: Database = super().with_options(*args, **options)
        if plain is self:
            return self
        return IndexedDatabase(
            self._client,
            self.name,
            self._store,
            plain._read_preference,
            plain._codec_options,
            plain._read_concern,
        )


class IndexedClient(MongoClient):
    """A client of such databases."""

    def __init__(self) -> None:
        super().__init__(_store=_ServerStore())

    def get_database(self, name: Any = None, *args: Any, **options: Any) -> Any:
        """The database of that name, always the same object. Options have no effect."""
        if name is not None and name not in self._database_accesses:
            self._database_accesses[name] = IndexedDatabase(self, name, self._store[name])
        return super().get_database(name)


class _DatabaseStore(DatabaseStore):
    def __getitem__(self, name: str) -> IndexedStore:
        if name not in self._collections:
            self._collections[name] = IndexedStore(name)
        store: IndexedStore = self._collections[name]
        return store


class _ServerStore(ServerStore):
    def __getitem__(self, name: str) -> _DatabaseStore:
        if name not in self._databases:
            self._databases[name] = _DatabaseStore()
        store: _DatabaseStore = self._databases[name]
        return store
