---@meta

-- SPDX-License-Identifier: Apache-2.0
--
-- Mesos's messages as Lua sees them. Made from proto/ by spec/support/meta.lua; not to be edited.
--
-- A message whose only field is `value` is that value. A repeated field or map that is absent reads as an empty table.

---@class mesos.Address
---@field hostname string?
---@field ip string?
---@field port integer

---@alias mesos.AgentID string

---@class mesos.AgentInfo
---@field hostname string
---@field resources mesos.Resource[]
---@field attributes mesos.Attribute[]
---@field id mesos.AgentID?
---@field port integer? default: 5051
---@field domain mesos.DomainInfo?

---@class mesos.Attribute
---@field name string
---@field type mesos.Value.Type
---@field scalar mesos.Value.Scalar?
---@field ranges mesos.Value.Ranges?
---@field text mesos.Value.Text?
---@field set mesos.Value.Set?

---@class mesos.CapabilityInfo
---@field capabilities mesos.CapabilityInfo.Capability[]?

---@alias mesos.CapabilityInfo.Capability
---| "UNKNOWN"
---| "CHOWN"
---| "DAC_OVERRIDE"
---| "DAC_READ_SEARCH"
---| "FOWNER"
---| "FSETID"
---| "KILL"
---| "SETGID"
---| "SETUID"
---| "SETPCAP"
---| "LINUX_IMMUTABLE"
---| "NET_BIND_SERVICE"
---| "NET_BROADCAST"
---| "NET_ADMIN"
---| "NET_RAW"
---| "IPC_LOCK"
---| "IPC_OWNER"
---| "SYS_MODULE"
---| "SYS_RAWIO"
---| "SYS_CHROOT"
---| "SYS_PTRACE"
---| "SYS_PACCT"
---| "SYS_ADMIN"
---| "SYS_BOOT"
---| "SYS_NICE"
---| "SYS_RESOURCE"
---| "SYS_TIME"
---| "SYS_TTY_CONFIG"
---| "MKNOD"
---| "LEASE"
---| "AUDIT_WRITE"
---| "AUDIT_CONTROL"
---| "SETFCAP"
---| "MAC_OVERRIDE"
---| "MAC_ADMIN"
---| "SYSLOG"
---| "WAKE_ALARM"
---| "BLOCK_SUSPEND"
---| "AUDIT_READ"
---| "PERFMON"
---| "BPF"
---| "CHECKPOINT_RESTORE"

---@class mesos.CgroupInfo
---@field net_cls mesos.CgroupInfo.NetCls?

---@class mesos.CgroupInfo.NetCls
---@field classid integer?

---@class mesos.CheckInfo
---@field type mesos.CheckInfo.Type?
---@field command mesos.CheckInfo.Command?
---@field http mesos.CheckInfo.Http?
---@field delay_seconds number? default: 15.0
---@field interval_seconds number? default: 10.0
---@field timeout_seconds number? default: 20.0
---@field tcp mesos.CheckInfo.Tcp?

---@class mesos.CheckInfo.Command
---@field command mesos.CommandInfo

---@class mesos.CheckInfo.Http
---@field port integer
---@field path string?

---@class mesos.CheckInfo.Tcp
---@field port integer

---@alias mesos.CheckInfo.Type
---| "UNKNOWN"
---| "COMMAND"
---| "HTTP"
---| "TCP"

---@class mesos.CheckStatusInfo
---@field type mesos.CheckInfo.Type?
---@field command mesos.CheckStatusInfo.Command?
---@field http mesos.CheckStatusInfo.Http?
---@field tcp mesos.CheckStatusInfo.Tcp?

---@class mesos.CheckStatusInfo.Command
---@field exit_code integer?

---@class mesos.CheckStatusInfo.Http
---@field status_code integer?

---@class mesos.CheckStatusInfo.Tcp
---@field succeeded boolean?

---@class mesos.CommandInfo
---@field uris mesos.CommandInfo.URI[]?
---@field environment mesos.Environment?
---@field value string?
---@field user string?
---@field shell boolean? default: true
---@field arguments string[]?

---@class mesos.CommandInfo.URI
---@field value string
---@field executable boolean?
---@field extract boolean? default: true
---@field cache boolean?
---@field output_file string?

---@class mesos.ContainerID
---@field value string
---@field parent mesos.ContainerID?

---@class mesos.ContainerInfo
---@field type mesos.ContainerInfo.Type
---@field volumes mesos.Volume[]?
---@field docker mesos.ContainerInfo.DockerInfo?
---@field hostname string?
---@field mesos mesos.ContainerInfo.MesosInfo?
---@field network_infos mesos.NetworkInfo[]?
---@field linux_info mesos.LinuxInfo?
---@field rlimit_info mesos.RLimitInfo?
---@field tty_info mesos.TTYInfo?

---@class mesos.ContainerInfo.DockerInfo
---@field image string
---@field network mesos.ContainerInfo.DockerInfo.Network? default: HOST
---@field port_mappings mesos.ContainerInfo.DockerInfo.PortMapping[]?
---@field privileged boolean? default: false
---@field parameters mesos.Parameter[]?
---@field force_pull_image boolean?
---@field volume_driver string?

---@alias mesos.ContainerInfo.DockerInfo.Network
---| "HOST"
---| "BRIDGE"
---| "NONE"
---| "USER"

---@class mesos.ContainerInfo.DockerInfo.PortMapping
---@field host_port integer
---@field container_port integer
---@field protocol string?

---@class mesos.ContainerInfo.MesosInfo
---@field image mesos.Image?

---@alias mesos.ContainerInfo.Type
---| "DOCKER"
---| "MESOS"

---@class mesos.ContainerStatus
---@field network_infos mesos.NetworkInfo[]?
---@field cgroup_info mesos.CgroupInfo?
---@field executor_pid integer?
---@field container_id mesos.ContainerID?

---@class mesos.Credential
---@field principal string
---@field secret string?

---@class mesos.DiscoveryInfo
---@field visibility mesos.DiscoveryInfo.Visibility
---@field name string?
---@field environment string?
---@field location string?
---@field version string?
---@field ports mesos.Ports?
---@field labels mesos.Labels?

---@alias mesos.DiscoveryInfo.Visibility
---| "FRAMEWORK"
---| "CLUSTER"
---| "EXTERNAL"

---@class mesos.DomainInfo
---@field fault_domain mesos.DomainInfo.FaultDomain?

---@class mesos.DomainInfo.FaultDomain
---@field region mesos.DomainInfo.FaultDomain.RegionInfo
---@field zone mesos.DomainInfo.FaultDomain.ZoneInfo

---@class mesos.DomainInfo.FaultDomain.RegionInfo
---@field name string

---@class mesos.DomainInfo.FaultDomain.ZoneInfo
---@field name string

---@class mesos.DurationInfo
---@field nanoseconds integer

---@class mesos.Environment
---@field variables mesos.Environment.Variable[]?

---@class mesos.Environment.Variable
---@field name string
---@field value string?
---@field type mesos.Environment.Variable.Type? default: VALUE
---@field secret mesos.Secret?

---@alias mesos.Environment.Variable.Type
---| "UNKNOWN"
---| "VALUE"
---| "SECRET"

---@alias mesos.ExecutorID string

---@class mesos.ExecutorInfo
---@field executor_id mesos.ExecutorID
---@field data string?
---@field resources mesos.Resource[]?
---@field command mesos.CommandInfo?
---@field framework_id mesos.FrameworkID?
---@field name string?
---@field source string?
---@field container mesos.ContainerInfo?
---@field discovery mesos.DiscoveryInfo?
---@field shutdown_grace_period mesos.DurationInfo?
---@field labels mesos.Labels?
---@field type mesos.ExecutorInfo.Type?

---@alias mesos.ExecutorInfo.Type
---| "UNKNOWN"
---| "DEFAULT"
---| "CUSTOM"

---@class mesos.Filters
---@field refuse_seconds number? default: 5.0

---@alias mesos.FrameworkID string

---@class mesos.FrameworkInfo
---@field user string? default: the user of the process
---@field name string? default: that of the script
---@field id mesos.FrameworkID?
---@field failover_timeout number? default: 0.0
---@field checkpoint boolean? default: false
---@field role string? default: *
---@field hostname string?
---@field principal string?
---@field webui_url string?
---@field capabilities mesos.FrameworkInfo.Capability[]?
---@field labels mesos.Labels?
---@field roles string[]?
---@field offer_filters table<string, mesos.OfferFilters>?

---@class mesos.FrameworkInfo.Capability
---@field type mesos.FrameworkInfo.Capability.Type?

---@alias mesos.FrameworkInfo.Capability.Type
---| "UNKNOWN"
---| "REVOCABLE_RESOURCES"
---| "TASK_KILLING_STATE"
---| "GPU_RESOURCES"
---| "SHARED_RESOURCES"
---| "PARTITION_AWARE"
---| "MULTI_ROLE"
---| "RESERVATION_REFINEMENT"
---| "REGION_AWARE"

---@class mesos.HealthCheck
---@field http mesos.HealthCheck.HTTPCheckInfo?
---@field delay_seconds number? default: 15.0
---@field interval_seconds number? default: 10.0
---@field timeout_seconds number? default: 20.0
---@field consecutive_failures integer? default: 3
---@field grace_period_seconds number? default: 10.0
---@field command mesos.CommandInfo?
---@field type mesos.HealthCheck.Type?
---@field tcp mesos.HealthCheck.TCPCheckInfo?

---@class mesos.HealthCheck.HTTPCheckInfo
---@field port integer
---@field path string?
---@field scheme string?
---@field statuses integer[]?
---@field protocol mesos.NetworkInfo.Protocol? default: IPv4

---@class mesos.HealthCheck.TCPCheckInfo
---@field port integer
---@field protocol mesos.NetworkInfo.Protocol? default: IPv4

---@alias mesos.HealthCheck.Type
---| "UNKNOWN"
---| "COMMAND"
---| "HTTP"
---| "TCP"

---@class mesos.Image
---@field type mesos.Image.Type
---@field appc mesos.Image.Appc?
---@field docker mesos.Image.Docker?
---@field cached boolean? default: true

---@class mesos.Image.Appc
---@field name string
---@field id string?
---@field labels mesos.Labels?

---@class mesos.Image.Docker
---@field name string
---@field credential mesos.Credential?
---@field config mesos.Secret?

---@alias mesos.Image.Type
---| "APPC"
---| "DOCKER"

---@class mesos.InverseOffer
---@field id mesos.OfferID
---@field url mesos.URL?
---@field framework_id mesos.FrameworkID
---@field agent_id mesos.AgentID?
---@field unavailability mesos.Unavailability
---@field resources mesos.Resource[]

---@class mesos.KillPolicy
---@field grace_period mesos.DurationInfo?

---@class mesos.Label
---@field key string
---@field value string?

---@class mesos.Labels
---@field labels mesos.Label[]?

---@class mesos.LinuxInfo
---@field capability_info mesos.CapabilityInfo?
---@field bounding_capabilities mesos.CapabilityInfo?
---@field effective_capabilities mesos.CapabilityInfo?
---@field share_pid_namespace boolean?
---@field seccomp mesos.SeccompInfo?
---@field ipc_mode mesos.LinuxInfo.IpcMode?
---@field shm_size integer?
---@field share_cgroups boolean? default: true

---@alias mesos.LinuxInfo.IpcMode
---| "UNKNOWN"
---| "PRIVATE"
---| "SHARE_PARENT"

---@class mesos.MasterInfo
---@field id string
---@field ip integer
---@field port integer default: 5050
---@field pid string?
---@field hostname string?
---@field version string?
---@field address mesos.Address?
---@field domain mesos.DomainInfo?
---@field capabilities mesos.MasterInfo.Capability[]

---@class mesos.MasterInfo.Capability
---@field type mesos.MasterInfo.Capability.Type?

---@alias mesos.MasterInfo.Capability.Type
---| "UNKNOWN"
---| "AGENT_UPDATE"
---| "AGENT_DRAINING"
---| "QUOTA_V2"

---@class mesos.MountPropagation
---@field mode mesos.MountPropagation.Mode?

---@alias mesos.MountPropagation.Mode
---| "UNKNOWN"
---| "HOST_TO_CONTAINER"
---| "BIDIRECTIONAL"

---@class mesos.NetworkInfo
---@field groups string[]?
---@field labels mesos.Labels?
---@field ip_addresses mesos.NetworkInfo.IPAddress[]?
---@field name string?
---@field port_mappings mesos.NetworkInfo.PortMapping[]?

---@class mesos.NetworkInfo.IPAddress
---@field protocol mesos.NetworkInfo.Protocol? default: IPv4
---@field ip_address string?

---@class mesos.NetworkInfo.PortMapping
---@field host_port integer
---@field container_port integer
---@field protocol string?

---@alias mesos.NetworkInfo.Protocol
---| "IPv4"
---| "IPv6"

---@class mesos.Offer
---@field id mesos.OfferID
---@field framework_id mesos.FrameworkID
---@field agent_id mesos.AgentID
---@field hostname string
---@field resources mesos.Resource[]
---@field executor_ids mesos.ExecutorID[]
---@field attributes mesos.Attribute[]
---@field url mesos.URL?
---@field unavailability mesos.Unavailability?
---@field allocation_info mesos.Resource.AllocationInfo?
---@field domain mesos.DomainInfo?

---@class mesos.Offer.Operation
---@field type mesos.Offer.Operation.Type?
---@field launch mesos.Offer.Operation.Launch?
---@field reserve mesos.Offer.Operation.Reserve?
---@field unreserve mesos.Offer.Operation.Unreserve?
---@field create mesos.Offer.Operation.Create?
---@field destroy mesos.Offer.Operation.Destroy?
---@field launch_group mesos.Offer.Operation.LaunchGroup?
---@field id mesos.OperationID?
---@field grow_volume mesos.Offer.Operation.GrowVolume?
---@field shrink_volume mesos.Offer.Operation.ShrinkVolume?
---@field create_disk mesos.Offer.Operation.CreateDisk?
---@field destroy_disk mesos.Offer.Operation.DestroyDisk?

---@class mesos.Offer.Operation.Create
---@field volumes mesos.Resource[]?

---@class mesos.Offer.Operation.CreateDisk
---@field source mesos.Resource
---@field target_type mesos.Resource.DiskInfo.Source.Type
---@field target_profile string?

---@class mesos.Offer.Operation.Destroy
---@field volumes mesos.Resource[]?

---@class mesos.Offer.Operation.DestroyDisk
---@field source mesos.Resource

---@class mesos.Offer.Operation.GrowVolume
---@field volume mesos.Resource
---@field addition mesos.Resource

---@class mesos.Offer.Operation.Launch
---@field task_infos mesos.TaskInfo[]?

---@class mesos.Offer.Operation.LaunchGroup
---@field executor mesos.ExecutorInfo
---@field task_group mesos.TaskGroupInfo

---@class mesos.Offer.Operation.Reserve
---@field resources mesos.Resource[]?
---@field source mesos.Resource[]?

---@class mesos.Offer.Operation.ShrinkVolume
---@field volume mesos.Resource
---@field subtract mesos.Value.Scalar

---@alias mesos.Offer.Operation.Type
---| "UNKNOWN"
---| "LAUNCH"
---| "RESERVE"
---| "UNRESERVE"
---| "CREATE"
---| "DESTROY"
---| "LAUNCH_GROUP"
---| "GROW_VOLUME"
---| "SHRINK_VOLUME"
---| "CREATE_DISK"
---| "DESTROY_DISK"

---@class mesos.Offer.Operation.Unreserve
---@field resources mesos.Resource[]?

---@class mesos.OfferFilters
---@field min_allocatable_resources mesos.OfferFilters.MinAllocatableResources?

---@class mesos.OfferFilters.MinAllocatableResources
---@field quantities mesos.OfferFilters.ResourceQuantities[]?

---@class mesos.OfferFilters.ResourceQuantities
---@field quantities table<string, mesos.Value.Scalar>?

---@alias mesos.OfferID string

---@alias mesos.OperationID string

---@alias mesos.OperationState
---| "OPERATION_UNSUPPORTED"
---| "OPERATION_PENDING"
---| "OPERATION_FINISHED"
---| "OPERATION_FAILED"
---| "OPERATION_ERROR"
---| "OPERATION_DROPPED"
---| "OPERATION_UNREACHABLE"
---| "OPERATION_GONE_BY_OPERATOR"
---| "OPERATION_RECOVERING"
---| "OPERATION_UNKNOWN"

---@class mesos.OperationStatus
---@field operation_id mesos.OperationID?
---@field state mesos.OperationState
---@field message string?
---@field converted_resources mesos.Resource[]
---@field uuid mesos.UUID?
---@field agent_id mesos.AgentID?
---@field resource_provider_id mesos.ResourceProviderID?

---@class mesos.Parameter
---@field key string
---@field value string

---@class mesos.Parameters
---@field parameter mesos.Parameter[]?

---@class mesos.Port
---@field number integer
---@field name string?
---@field protocol string?
---@field visibility mesos.DiscoveryInfo.Visibility?
---@field labels mesos.Labels?

---@class mesos.Ports
---@field ports mesos.Port[]?

---@class mesos.RLimitInfo
---@field rlimits mesos.RLimitInfo.RLimit[]?

---@class mesos.RLimitInfo.RLimit
---@field type mesos.RLimitInfo.RLimit.Type?
---@field hard integer?
---@field soft integer?

---@alias mesos.RLimitInfo.RLimit.Type
---| "UNKNOWN"
---| "RLMT_AS"
---| "RLMT_CORE"
---| "RLMT_CPU"
---| "RLMT_DATA"
---| "RLMT_FSIZE"
---| "RLMT_LOCKS"
---| "RLMT_MEMLOCK"
---| "RLMT_MSGQUEUE"
---| "RLMT_NICE"
---| "RLMT_NOFILE"
---| "RLMT_NPROC"
---| "RLMT_RSS"
---| "RLMT_RTPRIO"
---| "RLMT_RTTIME"
---| "RLMT_SIGPENDING"
---| "RLMT_STACK"

---@class mesos.Request
---@field agent_id mesos.AgentID?
---@field resources mesos.Resource[]?

---@class mesos.Resource
---@field name string
---@field type mesos.Value.Type
---@field scalar mesos.Value.Scalar?
---@field ranges mesos.Value.Ranges?
---@field set mesos.Value.Set?
---@field role string? default: *
---@field disk mesos.Resource.DiskInfo?
---@field reservation mesos.Resource.ReservationInfo?
---@field revocable mesos.Resource.RevocableInfo?
---@field shared mesos.Resource.SharedInfo?
---@field allocation_info mesos.Resource.AllocationInfo?
---@field provider_id mesos.ResourceProviderID?
---@field reservations mesos.Resource.ReservationInfo[]?

---@class mesos.Resource.AllocationInfo
---@field role string?

---@class mesos.Resource.DiskInfo
---@field persistence mesos.Resource.DiskInfo.Persistence?
---@field volume mesos.Volume?
---@field source mesos.Resource.DiskInfo.Source?

---@class mesos.Resource.DiskInfo.Persistence
---@field id string
---@field principal string?

---@class mesos.Resource.DiskInfo.Source
---@field type mesos.Resource.DiskInfo.Source.Type
---@field path mesos.Resource.DiskInfo.Source.Path?
---@field mount mesos.Resource.DiskInfo.Source.Mount?
---@field id string?
---@field metadata mesos.Labels?
---@field profile string?
---@field vendor string?

---@class mesos.Resource.DiskInfo.Source.Mount
---@field root string?

---@class mesos.Resource.DiskInfo.Source.Path
---@field root string?

---@alias mesos.Resource.DiskInfo.Source.Type
---| "UNKNOWN"
---| "PATH"
---| "MOUNT"
---| "BLOCK"
---| "RAW"

---@class mesos.Resource.ReservationInfo
---@field principal string?
---@field labels mesos.Labels?
---@field role string?
---@field type mesos.Resource.ReservationInfo.Type?

---@alias mesos.Resource.ReservationInfo.Type
---| "UNKNOWN"
---| "STATIC"
---| "DYNAMIC"

---@class mesos.Resource.RevocableInfo

---@class mesos.Resource.SharedInfo

---@alias mesos.ResourceProviderID string

---@class mesos.SeccompInfo
---@field profile_name string?
---@field unconfined boolean?

---@class mesos.Secret
---@field type mesos.Secret.Type?
---@field reference mesos.Secret.Reference?
---@field value mesos.Secret.Value?

---@class mesos.Secret.Reference
---@field name string
---@field key string?

---@alias mesos.Secret.Type
---| "UNKNOWN"
---| "REFERENCE"
---| "VALUE"

---@class mesos.Secret.Value
---@field data string

---@class mesos.TTYInfo
---@field window_size mesos.TTYInfo.WindowSize?

---@class mesos.TTYInfo.WindowSize
---@field rows integer
---@field columns integer

---@class mesos.TaskGroupInfo
---@field tasks mesos.TaskInfo[]?

---@alias mesos.TaskID string

---@class mesos.TaskInfo
---@field name string
---@field task_id mesos.TaskID
---@field agent_id mesos.AgentID
---@field resources mesos.Resource[]?
---@field executor mesos.ExecutorInfo?
---@field data string?
---@field command mesos.CommandInfo?
---@field health_check mesos.HealthCheck?
---@field container mesos.ContainerInfo?
---@field labels mesos.Labels?
---@field discovery mesos.DiscoveryInfo?
---@field kill_policy mesos.KillPolicy?
---@field check mesos.CheckInfo?
---@field max_completion_time mesos.DurationInfo?
---@field limits table<string, mesos.Value.Scalar>?

---@class mesos.TaskResourceLimitation
---@field resources mesos.Resource[]?

---@alias mesos.TaskState
---| "TASK_STARTING"
---| "TASK_RUNNING"
---| "TASK_FINISHED"
---| "TASK_FAILED"
---| "TASK_KILLED"
---| "TASK_LOST"
---| "TASK_STAGING"
---| "TASK_ERROR"
---| "TASK_KILLING"
---| "TASK_DROPPED"
---| "TASK_UNREACHABLE"
---| "TASK_GONE"
---| "TASK_GONE_BY_OPERATOR"
---| "TASK_UNKNOWN"

---@class mesos.TaskStatus
---@field task_id mesos.TaskID
---@field state mesos.TaskState
---@field data string?
---@field message string?
---@field agent_id mesos.AgentID?
---@field timestamp number?
---@field executor_id mesos.ExecutorID?
---@field healthy boolean?
---@field source mesos.TaskStatus.Source?
---@field reason mesos.TaskStatus.Reason?
---@field uuid string?
---@field labels mesos.Labels?
---@field container_status mesos.ContainerStatus?
---@field unreachable_time mesos.TimeInfo?
---@field check_status mesos.CheckStatusInfo?
---@field limitation mesos.TaskResourceLimitation?

---@alias mesos.TaskStatus.Reason
---| "REASON_COMMAND_EXECUTOR_FAILED"
---| "REASON_EXECUTOR_TERMINATED"
---| "REASON_EXECUTOR_UNREGISTERED"
---| "REASON_FRAMEWORK_REMOVED"
---| "REASON_GC_ERROR"
---| "REASON_INVALID_FRAMEWORKID"
---| "REASON_INVALID_OFFERS"
---| "REASON_MASTER_DISCONNECTED"
---| "REASON_CONTAINER_LIMITATION_MEMORY"
---| "REASON_RECONCILIATION"
---| "REASON_AGENT_DISCONNECTED"
---| "REASON_AGENT_REMOVED"
---| "REASON_AGENT_RESTARTED"
---| "REASON_AGENT_UNKNOWN"
---| "REASON_TASK_INVALID"
---| "REASON_TASK_UNAUTHORIZED"
---| "REASON_TASK_UNKNOWN"
---| "REASON_CONTAINER_PREEMPTED"
---| "REASON_RESOURCES_UNKNOWN"
---| "REASON_CONTAINER_LIMITATION"
---| "REASON_CONTAINER_LIMITATION_DISK"
---| "REASON_CONTAINER_LAUNCH_FAILED"
---| "REASON_CONTAINER_UPDATE_FAILED"
---| "REASON_EXECUTOR_REGISTRATION_TIMEOUT"
---| "REASON_EXECUTOR_REREGISTRATION_TIMEOUT"
---| "REASON_TASK_GROUP_INVALID"
---| "REASON_TASK_GROUP_UNAUTHORIZED"
---| "REASON_IO_SWITCHBOARD_EXITED"
---| "REASON_TASK_CHECK_STATUS_UPDATED"
---| "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED"
---| "REASON_TASK_KILLED_DURING_LAUNCH"
---| "REASON_AGENT_REMOVED_BY_OPERATOR"
---| "REASON_AGENT_REREGISTERED"
---| "REASON_MAX_COMPLETION_TIME_REACHED"
---| "REASON_AGENT_DRAINING"

---@alias mesos.TaskStatus.Source
---| "SOURCE_MASTER"
---| "SOURCE_AGENT"
---| "SOURCE_EXECUTOR"

---@class mesos.TimeInfo
---@field nanoseconds integer

---@class mesos.URL
---@field scheme string
---@field address mesos.Address
---@field path string?
---@field query mesos.Parameter[]
---@field fragment string?

---@alias mesos.UUID string

---@class mesos.Unavailability
---@field start mesos.TimeInfo
---@field duration mesos.DurationInfo?

---@class mesos.Value.Range
---@field begin integer
---@field ["end"] integer

---@class mesos.Value.Ranges
---@field range mesos.Value.Range[]?

---@alias mesos.Value.Scalar number

---@class mesos.Value.Set
---@field item string[]?

---@alias mesos.Value.Text string

---@alias mesos.Value.Type
---| "SCALAR"
---| "RANGES"
---| "SET"
---| "TEXT"

---@class mesos.Volume
---@field container_path string
---@field host_path string?
---@field mode mesos.Volume.Mode
---@field image mesos.Image?
---@field source mesos.Volume.Source?

---@alias mesos.Volume.Mode
---| "RW"
---| "RO"

---@class mesos.Volume.Source
---@field type mesos.Volume.Source.Type?
---@field docker_volume mesos.Volume.Source.DockerVolume?
---@field sandbox_path mesos.Volume.Source.SandboxPath?
---@field secret mesos.Secret?
---@field host_path mesos.Volume.Source.HostPath?
---@field csi_volume mesos.Volume.Source.CSIVolume?

---@class mesos.Volume.Source.CSIVolume
---@field plugin_name string
---@field static_provisioning mesos.Volume.Source.CSIVolume.StaticProvisioning?

---@class mesos.Volume.Source.CSIVolume.StaticProvisioning
---@field volume_id string
---@field volume_capability mesos.Volume.Source.CSIVolume.VolumeCapability
---@field node_stage_secrets table<string, mesos.Secret>?
---@field node_publish_secrets table<string, mesos.Secret>?
---@field volume_context table<string, string>?

---@class mesos.Volume.Source.CSIVolume.VolumeCapability
---@field block mesos.Volume.Source.CSIVolume.VolumeCapability.BlockVolume?
---@field mount mesos.Volume.Source.CSIVolume.VolumeCapability.MountVolume?
---@field access_mode mesos.Volume.Source.CSIVolume.VolumeCapability.AccessMode

---@class mesos.Volume.Source.CSIVolume.VolumeCapability.AccessMode
---@field mode mesos.Volume.Source.CSIVolume.VolumeCapability.AccessMode.Mode

---@alias mesos.Volume.Source.CSIVolume.VolumeCapability.AccessMode.Mode
---| "UNKNOWN"
---| "SINGLE_NODE_WRITER"
---| "SINGLE_NODE_READER_ONLY"
---| "MULTI_NODE_READER_ONLY"
---| "MULTI_NODE_SINGLE_WRITER"
---| "MULTI_NODE_MULTI_WRITER"

---@class mesos.Volume.Source.CSIVolume.VolumeCapability.BlockVolume

---@class mesos.Volume.Source.CSIVolume.VolumeCapability.MountVolume
---@field fs_type string?
---@field mount_flags string[]?

---@class mesos.Volume.Source.DockerVolume
---@field driver string?
---@field name string
---@field driver_options mesos.Parameters?

---@class mesos.Volume.Source.HostPath
---@field path string
---@field mount_propagation mesos.MountPropagation?

---@class mesos.Volume.Source.SandboxPath
---@field type mesos.Volume.Source.SandboxPath.Type?
---@field path string

---@alias mesos.Volume.Source.SandboxPath.Type
---| "UNKNOWN"
---| "SELF"
---| "PARENT"

---@alias mesos.Volume.Source.Type
---| "UNKNOWN"
---| "DOCKER_VOLUME"
---| "SANDBOX_PATH"
---| "SECRET"
---| "HOST_PATH"
---| "CSI_VOLUME"

---@class mesos.AttributeConstraint
---@field selector mesos.AttributeConstraint.Selector
---@field predicate mesos.AttributeConstraint.Predicate

---@class mesos.AttributeConstraint.Predicate
---@field exists mesos.AttributeConstraint.Predicate.Exists?
---@field not_exists mesos.AttributeConstraint.Predicate.NotExists?
---@field text_equals mesos.AttributeConstraint.Predicate.TextEquals?
---@field text_not_equals mesos.AttributeConstraint.Predicate.TextNotEquals?
---@field text_matches mesos.AttributeConstraint.Predicate.TextMatches?
---@field text_not_matches mesos.AttributeConstraint.Predicate.TextNotMatches?

---@class mesos.AttributeConstraint.Predicate.Exists

---@class mesos.AttributeConstraint.Predicate.NotExists

---@alias mesos.AttributeConstraint.Predicate.TextEquals string

---@class mesos.AttributeConstraint.Predicate.TextMatches
---@field regex string

---@alias mesos.AttributeConstraint.Predicate.TextNotEquals string

---@class mesos.AttributeConstraint.Predicate.TextNotMatches
---@field regex string

---@class mesos.AttributeConstraint.Selector
---@field pseudoattribute_type mesos.AttributeConstraint.Selector.PseudoattributeType?
---@field attribute_name string?

---@alias mesos.AttributeConstraint.Selector.PseudoattributeType
---| "UNKNOWN"
---| "HOSTNAME"
---| "REGION"
---| "ZONE"

---@class mesos.OfferConstraints
---@field role_constraints table<string, mesos.OfferConstraints.RoleConstraints>?

---@class mesos.OfferConstraints.RoleConstraints
---@field groups mesos.OfferConstraints.RoleConstraints.Group[]?

---@class mesos.OfferConstraints.RoleConstraints.Group
---@field attribute_constraints mesos.AttributeConstraint[]?
