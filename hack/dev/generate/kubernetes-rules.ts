/**
 * What the generated classes of the client do not say about the fields of a Job: closed lists, quantities, ranges and
 * patterns, as the API server's validation has them. Keys are `Class.field`, and `items` stands for a list's entries.
 */
const modes = { minimum: 0, maximum: 511, errorMessage: 'must be a file mode: 0o644 (or 420, the same in decimal)' };
const port = { minimum: 1, maximum: 65_535, errorMessage: 'must be a port number, 1 to 65535' };
const natural = { minimum: 0 };
const positive = { minimum: 1 };
const label = { pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 63, errorMessage: 'must be lower-case letters, digits and hyphens, at most 63' };
const quantity = { type: ['string', 'number'], pattern: '^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+|[KMGTPE]i|[numkMGTPE])?$', errorMessage: 'must be a quantity such as "500m", "2" or "1.5Gi"' };
const quantities = { additionalProperties: quantity };

const lists: Readonly<Record<string, readonly string[]>> = {
  'V1AppArmorProfile.type': ['Localhost', 'RuntimeDefault', 'Unconfined'],
  'V1Container.imagePullPolicy': ['Always', 'IfNotPresent', 'Never'],
  'V1Container.restartPolicy': ['Always', 'Never', 'OnFailure'],
  'V1Container.terminationMessagePolicy': ['File', 'FallbackToLogsOnError'],
  'V1ContainerPort.protocol': ['TCP', 'UDP', 'SCTP'],
  'V1ContainerResizePolicy.restartPolicy': ['NotRequired', 'RestartContainer'],
  'V1HTTPGetAction.scheme': ['HTTP', 'HTTPS'],
  'V1HostPathVolumeSource.type': ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'],
  'V1JobSpec.completionMode': ['NonIndexed', 'Indexed'],
  'V1JobSpec.podReplacementPolicy': ['Failed', 'TerminatingOrFailed'],
  'V1LabelSelectorRequirement.operator': ['In', 'NotIn', 'Exists', 'DoesNotExist'],
  'V1NodeSelectorRequirement.operator': ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'],
  'V1PersistentVolumeClaimSpec.accessModes.items': ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'],
  'V1PersistentVolumeClaimSpec.volumeMode': ['Block', 'Filesystem'],
  'V1PodFailurePolicyOnExitCodesRequirement.operator': ['In', 'NotIn'],
  'V1PodFailurePolicyRule.action': ['Count', 'FailIndex', 'FailJob', 'Ignore'],
  'V1PodOS.name': ['linux', 'windows'],
  'V1PodSecurityContext.fsGroupChangePolicy': ['Always', 'OnRootMismatch'],
  'V1PodSecurityContext.seLinuxChangePolicy': ['MountOption', 'Recursive'],
  'V1PodSecurityContext.supplementalGroupsPolicy': ['Merge', 'Strict'],
  'V1PodSpec.dnsPolicy': ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
  'V1PodSpec.preemptionPolicy': ['Never', 'PreemptLowerPriority'],
  // A Job's pods must end, so `Always` is not among them.
  'V1PodSpec.restartPolicy': ['Never', 'OnFailure'],
  'V1SeccompProfile.type': ['Localhost', 'RuntimeDefault', 'Unconfined'],
  'V1SecurityContext.procMount': ['Default', 'Unmasked'],
  'V1Toleration.effect': ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
  'V1Toleration.operator': ['Exists', 'Equal', 'Lt', 'Gt'],
  'V1TopologySpreadConstraint.nodeAffinityPolicy': ['Honor', 'Ignore'],
  'V1TopologySpreadConstraint.nodeTaintsPolicy': ['Honor', 'Ignore'],
  'V1TopologySpreadConstraint.whenUnsatisfiable': ['DoNotSchedule', 'ScheduleAnyway'],
  'V1VolumeMount.mountPropagation': ['None', 'HostToContainer', 'Bidirectional'],
  'V1VolumeMount.recursiveReadOnly': ['Disabled', 'IfPossible', 'Enabled'],
};

const others: Readonly<Record<string, object>> = {
  'V1ConfigMapVolumeSource.defaultMode': modes,
  'V1Container.image': { minLength: 1 },
  'V1Container.name': label,
  'V1ContainerPort.containerPort': port,
  'V1ContainerPort.hostPort': port,
  'V1DownwardAPIVolumeFile.mode': modes,
  'V1DownwardAPIVolumeSource.defaultMode': modes,
  'V1EmptyDirVolumeSource.medium': { pattern: '^(|Memory|HugePages(-.+)?)$' },
  'V1EmptyDirVolumeSource.sizeLimit': quantity,
  // Printable ASCII but the equals sign, since Kubernetes 1.30.
  'V1EnvVar.name': { pattern: '^[ -<>-~]+$', errorMessage: 'must be printable ASCII without an equals sign' },
  'V1JobSpec.backoffLimit': natural,
  'V1JobSpec.backoffLimitPerIndex': natural,
  'V1KeyToPath.mode': modes,
  'V1PodSpec.containers': { minItems: 1 },
  'V1PodSpec.overhead': quantities,
  'V1PodSpec.terminationGracePeriodSeconds': natural,
  'V1Probe.failureThreshold': positive,
  'V1Probe.initialDelaySeconds': natural,
  'V1Probe.periodSeconds': positive,
  'V1Probe.successThreshold': positive,
  'V1Probe.timeoutSeconds': positive,
  'V1ProjectedVolumeSource.defaultMode': modes,
  'V1ResourceFieldSelector.divisor': quantity,
  'V1ResourceRequirements.limits': quantities,
  'V1ResourceRequirements.requests': quantities,
  'V1SecretVolumeSource.defaultMode': modes,
  'V1ServiceAccountTokenProjection.expirationSeconds': { minimum: 600 },
  'V1TopologySpreadConstraint.maxSkew': positive,
  'V1Volume.name': label,
  'V1VolumeDevice.devicePath': { minLength: 1 },
  'V1VolumeMount.mountPath': { minLength: 1 },
  'V1VolumeResourceRequirements.limits': quantities,
  'V1VolumeResourceRequirements.requests': quantities,
};

/** Schema keywords to add, by `Class.field`. */
export const fieldRules: ReadonlyMap<string, object> = new Map([
  ...Object.entries(lists).map(([field, values]): [string, object] => [field, { enum: values }]),
  ...Object.entries(others),
]);

/** Fields that the API server requires though the client's types do not. */
export const alsoRequired: ReadonlyMap<string, readonly string[]> = new Map([['V1Container', ['image']]]);
