using MLTransfer.Models;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Hub;

namespace MLTransfer;

/// <summary>Names of pretrained models, to give where a folder or an id on the Hugging Face hub can be given too.</summary>
public static class PretrainedModels
{
    /// <summary>The small GPT-2 that comes with the library (<see cref="TalesModel"/>); nothing is downloaded.</summary>
    public const string Tales = TalesModel.Id;

    /// <summary>The small StyleGAN2 that comes with the library (<see cref="ShapesModel"/>): 32x32 pixels in colour.</summary>
    public const string Shapes = ShapesModel.Id;

    /// <summary>
    /// Whether loading a model file may get what it refers to over the network: the base of a text generator that was saved as adapters
    /// alone, from the Hugging Face hub or a network share. Off: a file from elsewhere starts no download, and its base comes from the
    /// local Hugging Face cache or a folder of this machine.
    /// </summary>
    /// <remarks>
    /// It holds for the whole process. <see cref="GenerationCatalog.LoadPretrained"/> and fitting download what the program itself names in
    /// any case; what they got is in the cache then.
    /// </remarks>
    public static bool AllowDownloadsWhenLoading { get; set; }

    /// <summary>The local folder of an image generator.</summary>
    internal static string ResolveImageFolder(string folder) => folder == Shapes ? ShapesModel.Folder : folder;

    /// <summary>The local folder of a model, downloaded first where it has to be.</summary>
    internal static string ResolveFolder(
        string folderOrHubId, string? revision, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken) =>
        folderOrHubId == Tales
            ? TalesModel.Folder
            : PretrainedModel.ResolveAsync(folderOrHubId, revision, progress, cancellationToken).GetAwaiter().GetResult();
}
