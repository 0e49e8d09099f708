// The article's app on Express: the same parsers, CORS, JWT check, login and refresh, over a
// store in memory. Usage: node express.js SECRET. Prints its URL as JSON; ends when its standard
// input is closed.
const bcrypt = require("bcrypt");
const cors = require("cors");
const express = require("express");
const jwt = require("jsonwebtoken");

const secret = process.argv[2];
const refreshSecret = [...secret].reverse().join("");
const COST = 10;
const hash = bcrypt.hashSync("the pass phrase of a benchmark", COST);
const users = new Map(Array.from({ length: 8 }, (_, number) => [`user${number}`, hash]));

const app = express();
app.use(cors());
app.use(express.urlencoded({ extended: false }));
app.use(express.json());

const issue = (username, key) => jwt.sign({ username }, key, { expiresIn: 3600 });

const answer = (username) => ({
  accessToken: issue(username, secret),
  refreshToken: issue(username, refreshSecret),
});

// As the article does it: compareSync holds the only thread until the password is checked.
app.post("/users/login", (req, res) => {
  const known = users.get(req.body.username);
  if (!known) return res.status(401).send("user does not exist!");
  if (!bcrypt.compareSync(req.body.password, known)) return res.status(400).json("Wrong Password");
  res.status(201).json(answer(req.body.username));
});

// As it could be done: compare checks it on a thread of libuv's pool.
app.post("/users/login-async", async (req, res) => {
  const known = users.get(req.body.username);
  if (!known) return res.status(401).send("user does not exist!");
  if (!(await bcrypt.compare(req.body.password, known))) return res.status(400).json("Wrong");
  res.status(201).json(answer(req.body.username));
});

app.post("/refresh", (req, res) => {
  jwt.verify(req.body.token, refreshSecret, (error, claims) => {
    if (error) return res.status(403).json({ message: error.message });
    res.status(200).json({ accessToken: issue(claims.username, secret) });
  });
});

function authenticate(req, res, next) {
  const token = (req.headers.authorization || "").split(" ")[1];
  jwt.verify(token, secret, (error, claims) => {
    if (error) return res.status(403).json({ message: error.message });
    req.username = claims.username;
    next();
  });
}

app.get("/home", authenticate, (req, res) => res.json({ message: `Welcome ${req.username}` }));

const server = app.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ express: `http://127.0.0.1:${server.address().port}` }));
});
server.keepAliveTimeout = 120_000; // a connection waits while the other servers have their turns
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
