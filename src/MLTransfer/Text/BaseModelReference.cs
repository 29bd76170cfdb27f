using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Text;

/// <summary>The model that saved adapters belong to.</summary>
/// <param name="Id">A hub id, the name of an embedded model, or the full path of a folder.</param>
/// <param name="Sha256">The fingerprint of its weights, 64 hexadecimal digits.</param>
internal sealed record BaseModelReference(string Id, string Sha256)
{
    public static BaseModelReference Create(string folderOrHubId, string folder, CancellationToken cancellationToken) => new(
        Directory.Exists(folderOrHubId) ? Path.GetFullPath(folderOrHubId) : folderOrHubId,
        ModelFingerprint.Compute(folder, cancellationToken));

    /// <summary>Loads the model.</summary>
    /// <exception cref="InvalidOperationException">
    /// It cannot be had, or has other weights than those that the adapters were trained on.
    /// </exception>
    public TextGenerationModel Load()
    {
        string folder;
        try
        {
            folder = PretrainedModels.ResolveFolder(Id, revision: null, progress: null, CancellationToken.None);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new InvalidOperationException(
                $"The model file holds only adapters; they need the model '{Id}', which cannot be loaded: {exception.Message} Put that "
                + "model where it was, or into the local Hugging Face cache, or save with "
                + $"{nameof(TextGeneratorOptions.SaveAdapterOnly)} = false.", exception);
        }

        var found = ModelFingerprint.Compute(folder);
        return string.Equals(found, Sha256, StringComparison.OrdinalIgnoreCase)
            ? TextGenerationModel.Load(folder)
            : throw new InvalidOperationException(
                $"The model file's adapters were trained on the model '{Id}' with weights of SHA-256 {Sha256}, but '{folder}' has weights "
                + $"of SHA-256 {found}. Get the model in the version that was used for training.");
    }
}
