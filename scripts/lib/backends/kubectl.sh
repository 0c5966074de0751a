# shellcheck shell=sh
# Backend kubectl: PostgreSQL's client programs in a pod.
# Needs: server work
# Sets: addresses server verified

usual_selector=app=cb-tumblebug-postgres
usual_namespace=default
usual_pod_container=postgres

# names_pod: has the user named a context or a pod? A configuration of kubectl may be that of any
# cluster, and CB-Tumblebug's Makefile always names a namespace
names_pod() {
    [ -n "$TB_K8S_CONTEXT$TB_POSTGRES_POD$TB_POSTGRES_POD_SELECTOR" ]
}

# select_kubectl: is there one pod, and does it run? Sets server, addresses and verified
select_kubectl() {
    command -v kubectl >/dev/null || {
        hint 'install kubectl, or set ASSETS_PG_BACKEND to docker or direct'
        die "there is no 'kubectl' command on this machine"
    }
    choose_context
    choose_pod
    server="pod '$TB_POSTGRES_POD' in namespace '$TB_K8S_NAMESPACE' of context '$TB_K8S_CONTEXT'"
    addresses=''
    verified=yes
    choose_pod_container
    require_running_pod
}

# choose_context: from now on, every call of kubectl names it
choose_context() {
    [ -z "$TB_K8S_CONTEXT" ] || return 0
    TB_K8S_CONTEXT=$(kubectl config current-context 2>/dev/null </dev/null) || {
        hint 'set TB_K8S_CONTEXT to a context of kubectl, or KUBECONFIG to its configuration'
        die 'kubectl has no current context'
    }
}

# run_kubectl ARGUMENT...: an API server that hangs must not hang the run
run_kubectl() {
    in_time kubectl --context "$TB_K8S_CONTEXT" --request-timeout 20s "$@" \
        </dev/null 2>"$work/kubectl.errors"
}

# choose_pod: where no namespace is named, in the usual one, then in all. Sets $work/pod to its line
choose_pod() {
    if [ -n "$TB_K8S_NAMESPACE" ]; then
        list_pods --namespace "$TB_K8S_NAMESPACE" || fail_to_list_pods
    else
        list_pods --namespace "$usual_namespace" || fail_to_list_pods
        [ -s "$work/pods" ] || list_pods --all-namespaces || fail_to_list_pods
    fi
    case $(wc -l <"$work/pods" | tr -d ' ') in
        0) fail_without_pod ;;
        1) cp "$work/pods" "$work/pod" ;;
        *) choose_primary ;;
    esac
    IFS='|' read -r TB_K8S_NAMESPACE TB_POSTGRES_POD pod_phase pod_states pod_containers _ \
        <"$work/pod"
}

# list_pods OPTION...: those that match, a line for each, into $work/pods: namespace, name, phase,
# readiness and names of the containers, and what CloudNativePG and Patroni say is the role
list_pods() {
    labels='cnpg\.io/instanceRole role spilo-role postgres-operator\.crunchydata\.com/role'
    roles=
    for label in $labels; do
        roles="$roles{.metadata.labels.$label} "
    done
    run_kubectl get pods "$@" "$(pod_option)" --output jsonpath="{range .items[*]}\
{.metadata.namespace}|{.metadata.name}|{.status.phase}{.metadata.deletionTimestamp}|\
{range .status.containerStatuses[*]}{.name}={.ready} {end}|\
{range .spec.containers[*]}{.name} {end}|$roles{'\n'}{end}" >"$work/pods"
}

pod_option() {
    if [ -n "$TB_POSTGRES_POD" ]; then
        echo "--field-selector=metadata.name=$TB_POSTGRES_POD"
    else
        echo "--selector=${TB_POSTGRES_POD_SELECTOR:-$usual_selector}"
    fi
}

# choose_primary: of several pods, the only one that has not ended, or the only one that runs as a
# primary. Sets $work/pod to its line
choose_primary() {
    # shellcheck disable=SC2016 # conditions of awk
    for condition in '$3 !~ /^(Succeeded|Failed)/' \
        '$3 == "Running" && $6 ~ /(^| )(primary|master) /'; do
        awk -F '|' "$condition" "$work/pods" >"$work/pod"
        [ "$(wc -l <"$work/pod")" -ne 1 ] || return 0
    done
    hint 'set TB_POSTGRES_POD and TB_K8S_NAMESPACE to the name and namespace of one of them'
    die "several pods of context '$TB_K8S_CONTEXT' match, and their labels do not tell which is" \
        "the primary: $(in_one_line "$(awk -F '|' '{ print $1 "/" $2 " (" $3 ")" }' "$work/pods")")"
}

fail_without_pod() {
    searched='any namespace'
    [ -z "$TB_K8S_NAMESPACE" ] || searched="namespace '$TB_K8S_NAMESPACE'"
    hint 'set TB_K8S_CONTEXT, TB_K8S_NAMESPACE, and TB_POSTGRES_POD or TB_POSTGRES_POD_SELECTOR'
    die "no pod of context '$TB_K8S_CONTEXT' in $searched matches" \
        "$(pod_option | sed 's/^--[a-z-]*=//')"
}

# choose_pod_container: by default, the chart's, or else the only one
choose_pod_container() {
    if [ -z "$TB_K8S_CONTAINER" ]; then
        TB_K8S_CONTAINER=${pod_containers% }
        case " $pod_containers" in
            *" $usual_pod_container "* | *' '*' '*' '*) TB_K8S_CONTAINER=$usual_pod_container ;;
        esac
    fi
    case " $pod_containers" in
        *" $TB_K8S_CONTAINER "*) ;;
        *)
            hint "set TB_K8S_CONTAINER to one of: $pod_containers"
            die "$server has no container '$TB_K8S_CONTAINER'"
            ;;
    esac
}

require_running_pod() {
    hint "see why with 'kubectl --context $TB_K8S_CONTEXT --namespace $TB_K8S_NAMESPACE" \
        "describe pod $TB_POSTGRES_POD'"
    case $pod_phase-" $pod_states" in
        Running-*" $TB_K8S_CONTAINER=true "*) ;;
        Running-*) die "container '$TB_K8S_CONTAINER' of $server is not ready" ;;
        *) die "$server is not running: ${pod_phase:-unknown}" ;;
    esac
}

# fail_to_list_pods: ends the script, because the pods could not be listed
fail_to_list_pods() {
    case $(cat "$work/kubectl.errors") in
        *'context '*' does not exist'* | *'context was not found'*)
            hint "'kubectl config get-contexts' lists the contexts"
            die "kubectl has no context '$TB_K8S_CONTEXT'"
            ;;
        *forbidden*) hint_pod_rights ;;
        *) hint "check the connection with 'kubectl --context $TB_K8S_CONTEXT get pods'" ;;
    esac
    die "could not list the pods of context '$TB_K8S_CONTEXT':" \
        "$(transport_reason "$work/kubectl.errors")"
}

hint_pod_rights() {
    hint "the user of context '$TB_K8S_CONTEXT' needs the rights to list and get pods," \
        'and to create pods/exec'
}

# run_on_kubectl PROGRAM [ARGUMENT...]
run_on_kubectl() {
    run_verified exec_in_pod "$@"
}

exec_in_pod() {
    exec kubectl --context "$TB_K8S_CONTEXT" --namespace "$TB_K8S_NAMESPACE" \
        --request-timeout 30s exec -i "$TB_POSTGRES_POD" --container "$TB_K8S_CONTAINER" -- "$@"
}
