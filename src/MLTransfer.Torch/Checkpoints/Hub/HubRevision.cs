namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>A commit of a model repository and the names of its files, each checked to stay inside the repository.</summary>
internal sealed record HubRevision(string Commit, IReadOnlySet<string> Files);
