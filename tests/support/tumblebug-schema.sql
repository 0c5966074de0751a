-- CB-Tumblebug's schema, as its server creates it at start-up with GORM's AutoMigrate
-- and addIndexes(): no defaults, no NOT NULL but the keys', no foreign keys, no sequences.
CREATE TABLE "spec_infos" (
    "id" text,
    "uid" text,
    "csp_spec_name" text,
    "name" text,
    "namespace" text,
    "connection_name" text,
    "provider_name" text,
    "region_name" text,
    "region_latitude" decimal,
    "region_longitude" decimal,
    "infra_type" text,
    "architecture" text,
    "os_type" text,
    "v_cpu" integer,
    "memory_gi_b" decimal,
    "disk_size_gb" decimal,
    "max_total_storage_ti_b" integer,
    "net_bw_gbps" integer,
    "accelerator_model" text,
    "accelerator_count" smallint,
    "accelerator_memory_gb" decimal,
    "accelerator_type" text,
    "cost_per_hour" decimal,
    "description" text,
    "order_in_filtered_result" integer,
    "evaluation_status" text,
    "evaluation_score01" decimal,
    "evaluation_score02" decimal,
    "evaluation_score03" decimal,
    "evaluation_score04" decimal,
    "evaluation_score05" decimal,
    "evaluation_score06" decimal,
    "evaluation_score07" decimal,
    "evaluation_score08" decimal,
    "evaluation_score09" decimal,
    "evaluation_score10" decimal,
    "root_disk_type" text,
    "root_disk_size" bigint,
    "associated_object_list" text,
    "is_auto_generated" boolean,
    "system_label" text,
    "details" text,
    PRIMARY KEY ("id", "namespace")
);
CREATE TABLE "image_infos" (
    "resource_type" text,
    "namespace" text,
    "provider_name" text,
    "csp_image_name" text,
    "region_list" text,
    "id" text,
    "uid" text,
    "name" text,
    "csp_image_id" text,
    "source_node_uid" text,
    "source_csp_image_name" text,
    "connection_name" text,
    "infra_type" text,
    "fetched_time" text,
    "creation_date" text,
    "is_gpu_image" boolean,
    "is_kubernetes_image" boolean,
    "is_basic_image" boolean,
    "is_basic_gpu_image" boolean,
    "os_type" text,
    "os_architecture" text,
    "os_platform" text,
    "os_distribution" text,
    "os_disk_type" text,
    "os_disk_size_gb" decimal,
    "image_status" text,
    "details" text,
    "system_label" text,
    "description" text,
    "system_message" text,
    "deletion_requested_at" text,
    "command_history" text,
    PRIMARY KEY ("namespace", "provider_name", "csp_image_name")
);
CREATE TABLE "latency_infos" (
    "source_region" text,
    "target_region" text,
    "latency_ms" decimal,
    "measured_at" timestamptz,
    "updated_at" timestamptz,
    PRIMARY KEY ("source_region", "target_region")
);
CREATE INDEX idx_namespace ON spec_infos (namespace);
CREATE INDEX idx_vcpu ON spec_infos (v_cpu);
CREATE INDEX idx_memorygib ON spec_infos (memory_gi_b);
CREATE INDEX idx_cspspecname ON spec_infos (csp_spec_name);
CREATE INDEX idx_costperhour ON spec_infos (cost_per_hour);
CREATE INDEX idx_spec_main_filter ON spec_infos
    (namespace, architecture, v_cpu, memory_gi_b, cost_per_hour);
CREATE INDEX idx_spec_x86_64 ON spec_infos
    (namespace, v_cpu, memory_gi_b, cost_per_hour)
    WHERE architecture = 'x86_64';
CREATE INDEX idx_spec_arm64 ON spec_infos
    (namespace, v_cpu, memory_gi_b, cost_per_hour)
    WHERE architecture = 'arm64';
CREATE INDEX idx_latency_source ON latency_infos (source_region);
CREATE INDEX idx_latency_target ON latency_infos (target_region);
CREATE INDEX idx_latency_regions ON latency_infos (source_region, target_region);
