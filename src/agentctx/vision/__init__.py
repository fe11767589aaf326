"""What a picture shows, as a classifier of photographs sees it."""
