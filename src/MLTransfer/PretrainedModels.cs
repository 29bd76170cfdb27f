using MLTransfer.Models;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Hub;

namespace MLTransfer;

/// <summary>Names of pretrained models, to give where a folder or an id on the Hugging Face hub can be given too.</summary>
public static class PretrainedModels
{
    /// <summary>The small GPT-2 that comes with the library (<see cref="TalesModel"/>); nothing is downloaded.</summary>
    public const string Tales = TalesModel.Id;

    /// <summary>
    /// The small StyleGAN2 of the package <c>MLTransfer.Models.Shapes</c>, which an application adds: 32x32 pixels in colour. Nothing is
    /// downloaded.
    /// </summary>
    public const string Shapes = "mltransfer/shapes";

    /// <summary>
    /// The small BERT of the package <c>MLTransfer.Models.TalesInfilling</c>, which an application adds: it fills the masks of English
    /// texts. Nothing is downloaded.
    /// </summary>
    public const string TalesInfilling = "mltransfer/tales-infilling";

    /// <summary>
    /// The small MusicGen of the package <c>MLTransfer.Models.Tunes</c>, which an application adds: tunes of 8,000 samples a second from
    /// captions such as <c>slow minor flute, three beats</c>. Nothing is downloaded.
    /// </summary>
    public const string Tunes = "mltransfer/tunes";

    /// <summary>
    /// The small VITS of the package <c>MLTransfer.Models.Voice</c>, which an application adds: six English voices of 16,000 samples a
    /// second. Nothing is downloaded.
    /// </summary>
    public const string Voice = "mltransfer/voice";

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
    /// <exception cref="DirectoryNotFoundException">It is a model of a package that the application does not have.</exception>
    internal static string ResolveImageFolder(string folder) => ResolveImageFolder(folder, AppContext.BaseDirectory);

    /// <param name="folder">A folder, or <see cref="Shapes"/>.</param>
    /// <param name="applicationFolder">Where the build has put the models of packages.</param>
    internal static string ResolveImageFolder(string folder, string applicationFolder) =>
        folder == Shapes ? InstalledFolder(Shapes, nameof(Shapes), "shapes", applicationFolder) : folder;

    /// <summary>Whether a name is that of a model that comes in a package.</summary>
    internal static bool IsEmbedded(string name) => name is Tales or Shapes or TalesInfilling or Tunes or Voice;

    /// <summary>The local folder of a model, downloaded first where it has to be.</summary>
    /// <exception cref="DirectoryNotFoundException">It is a model of a package that the application does not have.</exception>
    internal static string ResolveFolder(
        string folderOrHubId, string? revision, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken) =>
        folderOrHubId switch
        {
            Tales => TalesModel.Folder,
            TalesInfilling => InstalledFolder(TalesInfilling, nameof(TalesInfilling), "tales-infilling", AppContext.BaseDirectory),
            Tunes => InstalledFolder(Tunes, nameof(Tunes), "tunes", AppContext.BaseDirectory),
            Voice => InstalledFolder(Voice, nameof(Voice), "voice", AppContext.BaseDirectory),
            _ => PretrainedModel.ResolveAsync(folderOrHubId, revision, progress, cancellationToken).GetAwaiter().GetResult(),
        };

    /// <param name="id">The model's name.</param>
    /// <param name="constant">What code calls it, and its package <c>MLTransfer.Models</c> with that name.</param>
    /// <param name="folder">Where the build of the package puts the model, in <c>models</c>.</param>
    /// <param name="applicationFolder">Where the build has put the models of packages.</param>
    internal static string InstalledFolder(string id, string constant, string folder, string applicationFolder)
    {
        var installed = Path.Combine(applicationFolder, "models", folder);
        return Directory.Exists(installed) ? installed : throw new DirectoryNotFoundException(
            $"The pretrained model '{id}' ({nameof(PretrainedModels)}.{constant}) comes in a package of its own, whose files were "
            + $"expected in '{installed}'. Run: dotnet add package MLTransfer.Models.{constant}. Where the application has it, copy the "
            + "whole output folder, or use 'dotnet publish'.");
    }
}
