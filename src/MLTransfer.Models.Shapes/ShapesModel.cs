namespace MLTransfer.Models;

/// <summary>
/// Shapes, a pretrained image generator: a StyleGAN2 that learned from drawings of one plain shape on a pale
/// ground, 32x32 pixels in colour; generator and discriminator, stored as float16. MODEL_CARD.md tells how it was trained and what it is
/// good for.
/// </summary>
public static class ShapesModel
{
    /// <summary>The name to ask for where a folder can be given.</summary>
    public const string Id = "mltransfer/shapes";

    /// <summary>The licence of the weights, by the name that the Hugging Face hub has for it.</summary>
    public const string License = "mit";

    /// <summary>
    /// The full path of the folder that holds <c>config.json</c>, <c>generator.safetensors</c> and <c>discriminator.safetensors</c>.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The application was deployed without the folder <c>models/shapes</c>.</exception>
    public static string Folder => FindIn(AppContext.BaseDirectory);

    internal static string FindIn(string applicationFolder)
    {
        string folder = Path.Combine(applicationFolder, "models", "shapes");
        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException(
                $"The model '{Id}' was expected in '{folder}', which does not exist. The build puts it there in every application that "
                + "references MLTransfer.Models.Shapes, so copy the whole output folder, or use 'dotnet publish'.");
    }
}
