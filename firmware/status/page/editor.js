export function openEditor() {}
export function closeEditor() {}
export function showPresence() {}
