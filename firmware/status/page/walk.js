export function showWalk() {}
