namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

internal sealed record LocalHubRequest(string Method, string Path, string? Range, string? Authorization);
