namespace MLTransfer.Models;

/// <summary>
/// Voice, a pretrained speech generator: a VITS of six English voices and 16,000 samples a second, with the discriminators that it was
/// trained against; stored as float16 in Hugging Face layout. MODEL_CARD.md tells how it was trained and what it is good for.
/// </summary>
public static class VoiceModel
{
    /// <summary>The name to ask for where a folder or the id of a model on a hub can be given.</summary>
    public const string Id = "mltransfer/voice";

    /// <summary>The licence of the weights, by the name that the Hugging Face hub has for it.</summary>
    public const string License = "mit";

    /// <summary>The ISO 639-1 code of the language that it speaks.</summary>
    public const string Language = "en";

    /// <summary>
    /// The full path of the folder that holds <c>config.json</c>, <c>model.safetensors</c>, <c>discriminator.safetensors</c> and the
    /// tokenizer's files.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The application was deployed without the folder
    /// <c>models/voice</c>.</exception>
    public static string Folder => FindIn(AppContext.BaseDirectory);

    internal static string FindIn(string applicationFolder)
    {
        string folder = Path.Combine(applicationFolder, "models", "voice");
        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException(
                $"The model '{Id}' was expected in '{folder}', which does not exist. The build puts it there in every application that "
                + "references MLTransfer.Models.Voice, so copy the whole output folder, or use 'dotnet publish'.");
    }
}
