// Where the tokens are: in localStorage, under the article's names. It is the article's
// TokenService. Every tab of this origin shares it, and so does every script that runs there.

export const tokenStore = {
  getAccessToken: () => localStorage.getItem("accessToken"),
  getRefreshToken: () => localStorage.getItem("refreshToken"),

  storeAccessToken: (token) => localStorage.setItem("accessToken", token),
  storeRefreshToken: (token) => localStorage.setItem("refreshToken", token),

  deleteTokens() {
    localStorage.removeItem("accessToken");
    localStorage.removeItem("refreshToken");
  },
};
