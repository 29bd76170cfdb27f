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

    /// <summary>The local folder of an image generator.</summary>
    internal static string ResolveImageFolder(string folder) => folder == Shapes ? ShapesModel.Folder : folder;

    /// <summary>The local folder of a model, downloaded first where it has to be.</summary>
    internal static string ResolveFolder(
        string folderOrHubId, string? revision, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken) =>
        folderOrHubId == Tales
            ? TalesModel.Folder
            : PretrainedModel.ResolveAsync(folderOrHubId, revision, progress, cancellationToken).GetAwaiter().GetResult();
}
