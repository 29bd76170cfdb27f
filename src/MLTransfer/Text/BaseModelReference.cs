using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Hub;

namespace MLTransfer.Text;

/// <summary>The model that saved adapters belong to.</summary>
/// <param name="Id">A hub id, the name of an embedded model, or the full path of a folder or a GGUF file.</param>
/// <param name="Sha256">The fingerprint of its weights, 64 hexadecimal digits.</param>
internal sealed record BaseModelReference(string Id, string Sha256)
{
    public static BaseModelReference Create(string folderOrHubId, string folder, CancellationToken cancellationToken) => new(
        !PretrainedModels.IsEmbedded(folderOrHubId) && Path.Exists(HubOptions.ExpandHome(folderOrHubId))
            ? Path.GetFullPath(folder) : folderOrHubId,
        ModelFingerprint.Compute(folder, cancellationToken));

    /// <summary>Checks what a file says.</summary>
    /// <exception cref="ArgumentException">It is no reference.</exception>
    public void Check()
    {
        if (string.IsNullOrWhiteSpace(Id) || Id.Any(char.IsControl))
            throw new ArgumentException($"'{Id}' names no model that its adapters could belong to");
        if (Sha256.Length != 64 || !Sha256.All(char.IsAsciiHexDigit))
            throw new ArgumentException($"'{Sha256}' is not the SHA-256 of a model");
    }

    /// <summary>
    /// Finds the folder of the model. Nothing but its weights is read before they are known to be those that the adapters belong to.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// It cannot be had, or has other weights than those that the adapters were trained on, or the program has not allowed to get it over
    /// the network.
    /// </exception>
    public string Find()
    {
        string folder;
        try
        {
            folder = FindFolder();
        }
        catch (Exception exception) when (exception is not (OutOfMemoryException or InvalidOperationException))
        {
            throw new InvalidOperationException(
                $"The model file holds only adapters; they need the model '{Id}', which cannot be loaded: {exception.Message} Put that "
                + "model where it was, or into the local Hugging Face cache, or save with "
                + $"{nameof(TextGeneratorOptions.SaveAdapterOnly)} = false.", exception);
        }

        var found = ModelFingerprint.Compute(folder);
        return string.Equals(found, Sha256, StringComparison.OrdinalIgnoreCase)
            ? folder
            : throw new InvalidOperationException(
                $"The model file's adapters were trained on the model '{Id}' with weights of SHA-256 {Sha256}, but '{folder}' has weights "
                + $"of SHA-256 {found}. Get the model in the version that was used for training.");
    }

    private string FindFolder()
    {
        if (PretrainedModels.IsEmbedded(Id) || PretrainedModel.IsPath(Id))
        {
            // Windows would sign in to whatever server a file names.
            if (IsOnNetwork(Id) && !PretrainedModels.AllowDownloadsWhenLoading)
                throw NotAllowed("which lies on another machine");
            return PretrainedModels.ResolveFolder(Id, revision: null, progress: null, CancellationToken.None);
        }

        var hub = new HubClient(HubOptions.FromEnvironment());
        if (hub.FindSnapshot(Id) is { } cached)
            return cached;
        return PretrainedModels.AllowDownloadsWhenLoading
            ? hub.GetSnapshotAsync(Id).GetAwaiter().GetResult()
            : throw NotAllowed($"which the cache '{hub.Options.CacheFolder}' does not have");
    }

    private static bool IsOnNetwork(string path) => path.Replace('\\', '/').StartsWith("//", StringComparison.Ordinal);

    private InvalidOperationException NotAllowed(string why) => new(
        $"The model file holds only adapters; they need the model '{Id}', {why}, and loading a file uses the network only where the "
        + $"program allows it. If you trust the file, get the model first with ml.Generation.LoadPretrained(\"{Id}\"), "
        + $"or set {nameof(PretrainedModels)}.{nameof(PretrainedModels.AllowDownloadsWhenLoading)} = true before loading.");
}
