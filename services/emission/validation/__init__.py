"""Definitions that can never apply or contradict themselves, by the path of their field. Pure."""

from services.emission.validation.campaign import faults_in_campaign, faults_of_campaign
from services.emission.validation.codes import faults_of_codes
from services.emission.validation.instrument import faults_of_definition

__all__ = ["faults_in_campaign", "faults_of_campaign", "faults_of_codes", "faults_of_definition"]
