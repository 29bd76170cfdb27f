using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>The part of a model file that belongs to one kind of component: a manifest and the files that it lists.</summary>
/// <param name="signature">Eight characters at the head of the part.</param>
/// <param name="loaderSignature">What ML.NET finds the component's loader by.</param>
/// <param name="component">What messages call the component, such as "text generator".</param>
internal sealed class ModelPart<TManifest>(string signature, string loaderSignature, string component)
    where TManifest : ModelManifest
{
    private VersionInfo Version => ModelFileVersion.Create(signature, loaderSignature);

    /// <summary>Writes the part.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="write">Writes the files, and gives the manifest that lists them.</param>
    /// <exception cref="NotSupportedException">The context is not that of a model file.</exception>
    public void Write(ModelSaveContext context, Func<ModelPartWriter, TManifest> write)
    {
        if (!context.InRepository)
            throw new NotSupportedException($"A component of this kind ({component}) can only be saved to a model file (zip).");
        context.CheckAtModel();
        context.SetVersionInfo(Version);
        StoredManifest.Write(context, write(new ModelPartWriter(context)));
    }

    /// <summary>Reads the part.</summary>
    /// <param name="context">Where from.</param>
    /// <param name="read">
    /// Makes the component of the manifest and the files. An <see cref="ArgumentException"/> of it means that they do not fit each other.
    /// </param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    public T Read<T>(ModelLoadContext context, Func<ModelPartReader<TManifest>, T> read)
    {
        ModelFileVersion.Check(context, Version);
        var manifest = StoredManifest.Read<TManifest>(context, component);
        try
        {
            return read(new ModelPartReader<TManifest>(context, manifest, component));
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException(
                $"The model file is damaged: the {component} in '{context.Directory}': {exception.Message}", exception);
        }
    }
}
