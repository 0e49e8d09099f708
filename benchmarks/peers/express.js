// The article's app on Express: the same parsers, CORS and JWT check, and the route /home. Usage:
// node express.js SECRET. Prints its URL as JSON; ends when its standard input is closed.
const cors = require("cors");
const express = require("express");
const jwt = require("jsonwebtoken");

const secret = process.argv[2];

const app = express();
app.use(cors());
app.use(express.urlencoded({ extended: false }));
app.use(express.json());

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
