-- Health of ConfigMaps for Argo CD: resource.customizations.health.ConfigMap in argocd-cm.
-- It sees every ConfigMap of the installation, so whatever is not a spec must be Healthy: an empty answer would keep
-- multi-wave syncs waiting for ever. No standard library is used, because Argo CD offers none by default.
local health = {status = "Healthy", message = ""}
local labels = obj.metadata.labels
if labels == nil or labels["job-chief"] == nil then
  return health
end
local state = labels["job-chief/state"]
if state == nil then
  health.message = "job-chief has not written a status"
  return health
end
health.message = state
local annotations = obj.metadata.annotations
if annotations ~= nil and annotations["job-chief/status"] ~= nil then
  health.message = annotations["job-chief/status"]
end
-- Suspended, Blocked, Waiting and Superseded are Healthy: the configuration is in force or deliberately not, and a
-- sync must not wait for a queue.
if state == "Rejected" then
  health.status = "Degraded"
elseif state == "Checking" then
  health.status = "Progressing"
end
return health
