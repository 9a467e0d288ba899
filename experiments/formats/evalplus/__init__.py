"""EvalPlus: results of single tasks, and the leaderboard made of them."""
