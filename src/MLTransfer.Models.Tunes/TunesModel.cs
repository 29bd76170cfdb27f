namespace MLTransfer.Models;

/// <summary>
/// Tunes, a pretrained music generator: a MusicGen of 4 layers and width 192 that writes 40 frames a second of 4 codebooks, its EnCodec of
/// 8,000 samples a second, and its T5 encoder of captions; stored as float16 in Hugging Face layout. MODEL_CARD.md tells how it was trained
/// and what it is good for.
/// </summary>
public static class TunesModel
{
    /// <summary>The name to ask for where a folder or the id of a model on a hub can be given.</summary>
    public const string Id = "mltransfer/tunes";

    /// <summary>The licence of the weights, by the name that the Hugging Face hub has for it.</summary>
    public const string License = "mit";

    /// <summary>The ISO 639-1 code of the language of captions.</summary>
    public const string Language = "en";

    /// <summary>The full path of the folder that holds <c>config.json</c>, <c>model.safetensors</c> and the tokenizer's files.</summary>
    /// <exception cref="DirectoryNotFoundException">The application was deployed without the folder
    /// <c>models/tunes</c>.</exception>
    public static string Folder => FindIn(AppContext.BaseDirectory);

    internal static string FindIn(string applicationFolder)
    {
        string folder = Path.Combine(applicationFolder, "models", "tunes");
        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException(
                $"The model '{Id}' was expected in '{folder}', which does not exist. The build puts it there in every application that "
                + "references MLTransfer.Models.Tunes, so copy the whole output folder, or use 'dotnet publish'.");
    }
}
