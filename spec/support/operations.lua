-- SPDX-License-Identifier: Apache-2.0
--
-- Operations on resources for the specs of the local cluster, as messages in JSON, and the resources of an offer as
-- short texts.

local M = {}

local function with(resource, more)
    for key, value in pairs(more or {}) do
        resource[key] = value
    end
    return resource
end

function M.scalar(name, value, more)
    return with({ name = name, type = "SCALAR", scalar = { value = value } }, more)
end

-- Reserved for the role by an operation.
function M.reserved(name, value, role, more)
    return with(M.scalar(name, value, { reservations = { { type = "DYNAMIC", role = role } } }), more)
end

-- A persistent volume. Options: path, mode, principal, shared, or fields of the resource.
function M.volume(id, size, role, options)
    options = options or {}
    return M.reserved("disk", size, role, {
        reservations = options.reservations or { { type = "DYNAMIC", role = role } },
        provider_id = options.provider_id,
        shared = options.shared and { _ = nil } or nil,
        disk = {
            persistence = { id = id, principal = options.principal },
            volume = { container_path = options.path or "data", mode = options.mode or "RW" },
        },
    })
end

-- A raw disk of a storage provider.
function M.raw(provider, id)
    return M.scalar("disk", 10, { provider_id = { value = provider }, disk = { source = { type = "RAW", id = id } } })
end

function M.reserve(resources)
    return { type = "RESERVE", reserve = { resources = resources } }
end

function M.unreserve(resources)
    return { type = "UNRESERVE", unreserve = { resources = resources } }
end

function M.create(volumes)
    return { type = "CREATE", create = { volumes = volumes } }
end

function M.destroy(volumes)
    return { type = "DESTROY", destroy = { volumes = volumes } }
end

function M.grow(volume, addition)
    return { type = "GROW_VOLUME", grow_volume = { volume = volume, addition = addition } }
end

function M.shrink(volume, value)
    return { type = "SHRINK_VOLUME", shrink_volume = { volume = volume, subtract = { value = value } } }
end

local function value_text(resource)
    if resource.scalar then
        return ("%g"):format(resource.scalar.value)
    end
    local ranges = {}
    for i, range in ipairs(resource.ranges.range) do
        ranges[i] = ("%d-%d"):format(range.begin, range["end"])
    end
    return "[" .. table.concat(ranges, ",") .. "]"
end

-- The resources of an offer, sorted, as "disk(role)[volume]{REV}<SHARED>:value"; with a pattern, those that match.
function M.described(offer, pattern)
    local texts = {}
    for _, resource in ipairs(offer.resources) do
        local text = resource.name
        for _, reservation in ipairs(resource.reservations or {}) do
            text = text .. "(" .. reservation.role .. ")"
        end
        if resource.role and resource.role ~= "*" then
            text = text .. "(" .. resource.role .. ")"
        end
        if resource.disk then
            text = text .. "[" .. resource.disk.persistence.id .. "]"
        end
        text = text .. (resource.revocable and "{REV}" or "") .. (resource.shared and "<SHARED>" or "")
        text = text .. ":" .. value_text(resource)
        if text:find(pattern or "") then
            table.insert(texts, text)
        end
    end
    table.sort(texts)
    return texts
end

return M
