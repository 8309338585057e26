_node__exporter() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="node__exporter"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        node__exporter)
            opts="-h -V --check --no-check --collector.timeout --web.config.file --collector.disable-defaults --no-collector.disable-defaults --web.disable-exporter-metrics --no-web.disable-exporter-metrics --web.enable-lifecycle --no-web.enable-lifecycle --hash-password --no-hash-password --web.listen-address --log.format --log.level --web.max-requests --web.openmetrics-created --no-web.openmetrics-created --web.systemd-socket --no-web.systemd-socket --web.telemetry-path --timeout-offset --unit --no-unit --path.procfs --path.sysfs --path.rootfs --path.udev.data --collectors --collector.interfaces-include --collector.interfaces-exclude --collector.mount-points-include --collector.mount-points-exclude --collector.metrics-include --collector.metrics-exclude --collector.max-series --collector.arp --no-collector.arp --collector.arp.device-include --collector.arp.device-exclude --collector.arp.netlink --no-collector.arp.netlink --collector.bcache --no-collector.bcache --collector.bcache.priorityStats --no-collector.bcache.priorityStats --collector.bcachefs --no-collector.bcachefs --collector.bonding --no-collector.bonding --collector.btrfs --no-collector.btrfs --collector.buddyinfo --no-collector.buddyinfo --collector.cgroup2 --no-collector.cgroup2 --collector.cgroup2.include --collector.cgroup2.exclude --collector.cgroup2.depth --collector.cgroup2.max --collector.cgroups --no-collector.cgroups --collector.conntrack --no-collector.conntrack --collector.cpu --no-collector.cpu --collector.cpu.guest --no-collector.cpu.guest --collector.cpu.aggregate --no-collector.cpu.aggregate --collector.cpu.info --no-collector.cpu.info --collector.cpu.info.flags-include --collector.cpu.info.bugs-include --collector.cpu_vulnerabilities --no-collector.cpu_vulnerabilities --collector.cpufreq --no-collector.cpufreq --collector.diskstats --no-collector.diskstats --collector.diskstats.device-exclude --collector.diskstats.device-include --collector.dmi --no-collector.dmi --collector.dmmultipath --no-collector.dmmultipath --collector.drbd --no-collector.drbd --collector.drm --no-collector.drm --collector.edac --no-collector.edac --collector.entropy --no-collector.entropy --collector.ethtool --no-collector.ethtool --collector.ethtool.device-include --collector.ethtool.device-exclude --collector.ethtool.metrics-include --collector.fibrechannel --no-collector.fibrechannel --collector.filefd --no-collector.filefd --collector.filesystem --no-collector.filesystem --collector.filesystem.mount-points-exclude --collector.filesystem.mount-points-include --collector.filesystem.fs-types-exclude --collector.filesystem.fs-types-include --collector.hwmon --no-collector.hwmon --collector.hwmon.chip-include --collector.hwmon.chip-exclude --collector.hwmon.sensor-include --collector.hwmon.sensor-exclude --collector.infiniband --no-collector.infiniband --collector.infiniband.device-include --collector.infiniband.device-exclude --collector.interrupts --no-collector.interrupts --collector.interrupts.name-include --collector.interrupts.name-exclude --collector.interrupts.include-zeros --no-collector.interrupts.include-zeros --collector.interrupts.aggregate --no-collector.interrupts.aggregate --collector.ipvs --no-collector.ipvs --collector.ipvs.backend-labels --collector.kernel_hung --no-collector.kernel_hung --collector.ksmd --no-collector.ksmd --collector.lnstat --no-collector.lnstat --collector.loadavg --no-collector.loadavg --collector.logind --no-collector.logind --collector.mdadm --no-collector.mdadm --collector.meminfo --no-collector.meminfo --collector.meminfo_numa --no-collector.meminfo_numa --collector.mountstats --no-collector.mountstats --collector.netclass --no-collector.netclass --collector.netclass.ignored-devices --collector.netclass.ignore-invalid-speed --no-collector.netclass.ignore-invalid-speed --collector.netclass.netlink --no-collector.netclass.netlink --collector.netclass_rtnl.with-stats --no-collector.netclass_rtnl.with-stats --collector.netdev --no-collector.netdev --collector.netdev.device-include --collector.netdev.device-exclude --collector.netdev.address-info --no-collector.netdev.address-info --collector.netdev.enable-detailed-metrics --no-collector.netdev.enable-detailed-metrics --collector.netdev.netlink --no-collector.netdev.netlink --collector.netdev.label-ifalias --no-collector.netdev.label-ifalias --collector.netstat --no-collector.netstat --collector.netstat.fields --collector.network_route --no-collector.network_route --collector.nfs --no-collector.nfs --collector.nfsd --no-collector.nfsd --collector.ntp --no-collector.ntp --collector.ntp.server --collector.ntp.server-port --collector.ntp.protocol-version --collector.ntp.server-is-local --no-collector.ntp.server-is-local --collector.ntp.ip-ttl --collector.ntp.max-distance --collector.ntp.local-offset-tolerance --collector.nvme --no-collector.nvme --collector.nvmesubsystem --no-collector.nvmesubsystem --collector.os --no-collector.os --collector.pcidevice --no-collector.pcidevice --collector.pcidevice.names --no-collector.pcidevice.names --collector.pcidevice.idsfile --collector.perf --no-collector.perf --collector.perf.cpus --collector.perf.tracepoint --collector.perf.disable-hardware-profilers --no-collector.perf.disable-hardware-profilers --collector.perf.hardware-profilers --collector.perf.disable-software-profilers --no-collector.perf.disable-software-profilers --collector.perf.software-profilers --collector.perf.disable-cache-profilers --no-collector.perf.disable-cache-profilers --collector.perf.cache-profilers --collector.powersupplyclass --no-collector.powersupplyclass --collector.powersupply.ignored-supplies --collector.pressure --no-collector.pressure --collector.processes --no-collector.processes --collector.qdisc --no-collector.qdisc --collector.qdisc.fixtures --collector.qdisc.device-include --collector.qdisc.device-exclude --collector.rapl --no-collector.rapl --collector.rapl.enable-zone-label --no-collector.rapl.enable-zone-label --collector.runit --no-collector.runit --collector.runit.servicedir --collector.schedstat --no-collector.schedstat --collector.selinux --no-collector.selinux --collector.slabinfo --no-collector.slabinfo --collector.slabinfo.slabs-include --collector.slabinfo.slabs-exclude --collector.sockstat --no-collector.sockstat --collector.softirqs --no-collector.softirqs --collector.softnet --no-collector.softnet --collector.stat --no-collector.stat --collector.stat.softirq --no-collector.stat.softirq --collector.supervisord --no-collector.supervisord --collector.supervisord.url --collector.swap --no-collector.swap --collector.sysctl --no-collector.sysctl --collector.sysctl.include --collector.sysctl.include-info --collector.systemd --no-collector.systemd --collector.systemd.unit-include --collector.systemd.unit-exclude --collector.systemd.enable-task-metrics --no-collector.systemd.enable-task-metrics --collector.systemd.enable-restarts-metrics --no-collector.systemd.enable-restarts-metrics --collector.systemd.enable-start-time-metrics --no-collector.systemd.enable-start-time-metrics --collector.tapestats --no-collector.tapestats --collector.tapestats.ignored-devices --collector.tcpstat --no-collector.tcpstat --collector.textfile --no-collector.textfile --collector.textfile.directory --collector.thermal_zone --no-collector.thermal_zone --collector.time --no-collector.time --collector.timex --no-collector.timex --collector.udp_queues --no-collector.udp_queues --collector.uname --no-collector.uname --collector.vmstat --no-collector.vmstat --collector.vmstat.fields --collector.watchdog --no-collector.watchdog --collector.wifi --no-collector.wifi --collector.wifi.fixtures --collector.xfrm --no-collector.xfrm --collector.xfs --no-collector.xfs --collector.zfs --no-collector.zfs --collector.zoneinfo --no-collector.zoneinfo --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --collector.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.listen-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.max-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.telemetry-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-offset)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --path.procfs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --path.sysfs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --path.rootfs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --path.udev.data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collectors)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interfaces-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interfaces-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.mount-points-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.mount-points-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.metrics-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.metrics-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.max-series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.arp.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.arp.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.max)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cpu.info.flags-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cpu.info.bugs-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.diskstats.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.diskstats.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ethtool.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ethtool.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ethtool.metrics-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.mount-points-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.mount-points-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.fs-types-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.fs-types-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.chip-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.chip-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.sensor-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.sensor-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.infiniband.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.infiniband.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interrupts.name-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interrupts.name-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ipvs.backend-labels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netclass.ignored-devices)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netdev.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netdev.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netstat.fields)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.server)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.server-port)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.protocol-version)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.ip-ttl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.max-distance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.local-offset-tolerance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.pcidevice.idsfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.cpus)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.tracepoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.hardware-profilers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.software-profilers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.cache-profilers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.powersupply.ignored-supplies)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisc.fixtures)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisc.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisc.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.runit.servicedir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.slabinfo.slabs-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.slabinfo.slabs-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.supervisord.url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.sysctl.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.sysctl.include-info)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.systemd.unit-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.systemd.unit-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.tapestats.ignored-devices)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.textfile.directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.vmstat.fields)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.wifi.fixtures)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _node__exporter -o nosort -o bashdefault -o default node-exporter
else
    complete -F _node__exporter -o bashdefault -o default node-exporter
fi
