namespace MLTransfer.Models;

/// <summary>
/// Scenes, a pretrained generator of pictures from captions: a DALL-E of 6 layers and width 128 that writes 16 x 16 codes, its discrete VAE
/// for pictures of 32x32 pixels, and its tokenizer; stored as float16. MODEL_CARD.md tells how it was trained and what it is good for.
/// </summary>
public static class ScenesModel
{
    /// <summary>The name to ask for where a folder or the id of a model on a hub can be given.</summary>
    public const string Id = "mltransfer/scenes";

    /// <summary>The licence of the weights, by the name that the Hugging Face hub has for it.</summary>
    public const string License = "mit";

    /// <summary>The ISO 639-1 code of the language of captions.</summary>
    public const string Language = "en";

    /// <summary>The full path of the folder that holds <c>config.json</c>, <c>model.safetensors</c> and the tokenizer's files.</summary>
    /// <exception cref="DirectoryNotFoundException">The application was deployed without the folder
    /// <c>models/scenes</c>.</exception>
    public static string Folder => FindIn(AppContext.BaseDirectory);

    internal static string FindIn(string applicationFolder)
    {
        string folder = Path.Combine(applicationFolder, "models", "scenes");
        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException(
                $"The model '{Id}' was expected in '{folder}', which does not exist. The build puts it there in every application that "
                + "references MLTransfer.Models.Scenes, so copy the whole output folder, or use 'dotnet publish'.");
    }
}
