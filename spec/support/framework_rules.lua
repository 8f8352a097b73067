-- SPDX-License-Identifier: Apache-2.0
--
-- What a real master asks of the framework in SUBSCRIBE and UPDATE_FRAMEWORK, in its order and its words (reference:
-- src/master/validation.cpp, src/master/master.cpp), for the scripted master. Written apart from the local cluster's
-- rules, so that one does not hide the mistakes of the other.
--
--   rules.subscribe(call.subscribe, known, completed) -> nil | why it is refused
--   rules.update(call.update_framework, known) -> nil | why it is refused
--
-- `known` is the FrameworkInfo that the master has under that id, or nil; `completed` a set of ids.

local M = {}

local MOST_SECONDS = 9223372036 -- a duration counts nanoseconds in 64 bits

-- ---- roles ----

local function role_component(part)
    if part == "." or part == ".." or part == "*" then
        return ("cannot include '%s' as a component"):format(part), true
    elseif part:sub(1, 1) == "-" then
        return ("Role component '%s' is invalid because it starts with a dash"):format(part)
    elseif part:find("[%s\127]") then
        return ("Role component '%s' is invalid because it contains backspace or whitespace"):format(part)
    end
    return nil
end

local function role_name(role)
    if role == "*" then
        return nil
    elseif role:sub(1, 1) == "/" then
        return ("Role '%s' cannot start with a slash"):format(role)
    elseif role:sub(-1) == "/" then
        return ("Role '%s' cannot end with a slash"):format(role)
    elseif role:find("//", 1, true) then
        return ("Role '%s' cannot contain two adjacent slashes"):format(role)
    elseif role == "" then
        return "Role names cannot be the empty string"
    end
    for part in role:gmatch("[^/]+") do
        local fault, of_role = role_component(part)
        if fault then
            return of_role and ("Role '%s' %s"):format(role, fault) or fault
        end
    end
    return nil
end

local function multi_role(info)
    for _, capability in ipairs(info.capabilities) do
        if capability.type == "MULTI_ROLE" then
            return true
        end
    end
    return false
end

local function listed(names)
    local set, list = {}, {}
    for _, name in ipairs(names) do
        list[#list + 1] = not set[name] and name or nil
        set[name] = true
    end
    table.sort(list)
    return "{ " .. table.concat(list, ", ") .. " }"
end

local function roles(info)
    if not multi_role(info) then
        if #info.roles > 0 then
            return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"
        end
        local fault = info.role and role_name(info.role)
        return fault and "'FrameworkInfo.role' is not a valid role: " .. fault
    elseif info.role then
        return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"
    end
    local seen, twice = {}, {}
    for _, role in ipairs(info.roles) do
        twice[#twice + 1] = seen[role] and role or nil
        seen[role] = true
    end
    if #twice > 0 then
        return "'FrameworkInfo.roles' contains duplicate items: " .. listed(twice)
    end
    for _, role in ipairs(info.roles) do
        local fault = role_name(role)
        if fault then
            return "'FrameworkInfo.roles' contains invalid role: " .. fault
        end
    end
    return nil
end

local function has_role(info, role)
    if not multi_role(info) then
        return role == (info.role or "*")
    end
    for _, name in ipairs(info.roles) do
        if name == role then
            return true
        end
    end
    return false
end

-- ---- the FrameworkInfo ----

local function id(info)
    local text = info.id
    if text == nil or text == "" then
        return nil
    elseif #text > 255 then
        return "ID must not be greater than 255 characters"
    elseif text == "." or text == ".." then
        return ("'%s' is disallowed"):format(text)
    elseif text:find("[/\\%c]") then
        return ("'%s' contains invalid characters"):format(text)
    end
    return nil
end

local function quantity(value)
    if value ~= value then
        return "NaN not supported"
    elseif value == math.huge or value == -math.huge then
        return "Infinite values not supported"
    elseif value < 0 then
        return "Negative values not supported"
    end
    return nil
end

local function offer_filters(info)
    for _, filters in pairs(info.offer_filters) do
        local least = filters.min_allocatable_resources
        for _, quantities in ipairs(least and least.quantities or {}) do
            if next(quantities.quantities) == nil then
                return "Resource quantities must contain at least one quantity"
            end
            for name, value in pairs(quantities.quantities) do
                local fault = quantity(value)
                if fault then
                    return ("Invalid resource quantity for '%s': %s"):format(name, fault)
                end
            end
        end
    end
    return nil
end

local function failover_timeout(info)
    local seconds = info.failover_timeout or 0
    return seconds ~= seconds or math.abs(seconds) > MOST_SECONDS
        and ("The framework failover_timeout (%g) is invalid"):format(seconds) or nil
end

local function framework_info(info)
    return roles(info) or id(info) or offer_filters(info) or failover_timeout(info)
end

-- ---- what comes with it ----

local function suppressed_roles(info, suppressed)
    local foreign = {}
    for _, role in ipairs(suppressed) do
        foreign[#foreign + 1] = not has_role(info, role) and role or nil
    end
    return #foreign > 0 and ("Suppressed roles %s are not contained in the set of roles"):format(listed(foreign)) or nil
end

local function attribute_constraint(constraint)
    if next(constraint.selector or {}) == nil then
        return "The selector is not set or unknown"
    elseif next(constraint.predicate or {}) == nil then
        return "The predicate is not set or unknown"
    end
    return nil
end

local function role_constraints(role, constraints)
    if #constraints.groups == 0 then
        return ("'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role %s"):format(role)
    end
    for _, group in ipairs(constraints.groups) do
        if #group.attribute_constraints == 0 then
            return ("'OfferConstraints::RoleConstraints::groups' for role %scontains an empty RoleConstraints::Group")
                :format(role)
        end
        for _, constraint in ipairs(group.attribute_constraints) do
            local fault = attribute_constraint(constraint)
            if fault then
                return ("A role %s has an invalid 'AttributeConstraint': %s"):format(role, fault)
            end
        end
    end
    return nil
end

local function offer_constraints(info, constraints)
    local all = constraints and constraints.role_constraints or {}
    for role in pairs(all) do
        if not has_role(info, role) then
            return ("Offer constraints specify `role_constraints` for a role '%s'not contained in the set of roles")
                :format(role)
        end
    end
    for role, of_role in pairs(all) do
        local fault = role_constraints(role, of_role)
        if fault then
            return "Offer constraints are not valid: " .. fault
        end
    end
    return nil
end

-- ---- the calls ----

local function principal(info, known)
    return known and info.principal ~= known.principal and "Changing framework's principal is not allowed." or nil
end

function M.subscribe(subscribe, known, completed)
    local info = subscribe.framework_info
    return framework_info(info) or (completed[info.id or ""] and "Framework has been removed")
        or suppressed_roles(info, subscribe.suppressed_roles) or offer_constraints(info, subscribe.offer_constraints)
        or principal(info, known)
end

local function constant(field, old, new)
    return old ~= new and ("Updating 'FrameworkInfo.%s' is unsupported; attempted to update from '%s' to '%s'")
        :format(field, old, new) or nil
end

local function prefixed(prefix, fault)
    return fault and prefix .. ": " .. fault or nil
end

function M.update(update, known)
    local info = update.framework_info
    return prefixed("Supplied FrameworkInfo is not valid", framework_info(info))
        or prefixed("FrameworkInfo update is not valid", principal(info, known) or constant("user", known.user, info.user)
            or constant("checkpoint", known.checkpoint or false, info.checkpoint or false))
        or prefixed("'UpdateFramework' call is not valid", suppressed_roles(info, update.suppressed_roles)
            or offer_constraints(info, update.offer_constraints))
end

return M
