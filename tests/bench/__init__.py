"""How quick the site is, measured from outside, beside yardsticks of the same minute."""
