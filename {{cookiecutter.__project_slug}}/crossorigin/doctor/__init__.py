"""What explains: the browser's decisions, step by step, and the commands `flask cors`."""
