-- Health of ConfigMaps for Argo CD: resource.customizations.health.ConfigMap in argocd-cm.
-- It sees every ConfigMap of the installation, so whatever is not a spec must be Healthy: an empty answer would keep
-- multi-wave syncs waiting for ever. No standard library is used, because Argo CD offers none by default.
local health = {status = "Healthy", message = ""}
local labels = obj.metadata.labels
if labels == nil or labels["job-chief"] == nil then
  return health
end
local annotations = obj.metadata.annotations
if annotations == nil or annotations["job-chief/health"] == nil then
  health.message = "job-chief has not written a status"
  return health
end
health.message = annotations["job-chief/status"] or ""
-- Suspended, blocked, waiting and superseded specs are Healthy: the configuration is in force or deliberately not, and a
-- sync must not wait for a queue. A failed run counts only where the spec says health: {includeLastRun: true}.
if annotations["job-chief/health"] == "Degraded" then
  health.status = "Degraded"
elseif annotations["job-chief/health"] == "Progressing" then
  health.status = "Progressing"
end
return health
