-- SPDX-License-Identifier: Apache-2.0
--
-- run: an update is acknowledged that the driver acknowledges.
--
-- says:
--   callback statusUpdate: SCRIPT:15: acknowledgeStatusUpdate: this driver acknowledges by itself when the callback returns; set implicitAcknowledgements = false to do it yourself

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:declineOffer(offers[1].id)
end

function scheduler:statusUpdate(driver, status)
    driver:acknowledgeStatusUpdate(status)
end

return scheduler
