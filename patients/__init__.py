"""What we know, and how we come to know it: people, trials, draws, results, ratings. Facts only."""
