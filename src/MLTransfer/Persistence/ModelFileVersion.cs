using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>The versions that ML.NET writes at the head of a component's part of a model file.</summary>
internal static class ModelFileVersion
{
    /// <summary>The version of the format that this library writes, and the newest that it reads.</summary>
    public const uint Current = 0x00010002;

    /// <summary>The oldest version that this library reads.</summary>
    private const uint Oldest = 0x00010001;

    /// <summary>The version information of a component whose signature has eight characters.</summary>
    public static VersionInfo Create(string signature, string loaderSignature) =>
        // The assembly's simple name: with its version, an older library would fail to load before it can tell that the file is newer.
        new(signature, Current, Current, Oldest, typeof(ModelFileVersion).Assembly.GetName().Name!, loaderSignature);

    /// <summary>Checks that this library can read the component's part of a file.</summary>
    /// <exception cref="NotSupportedException">A newer version of the library wrote it.</exception>
    public static void Check(ModelLoadContext context, VersionInfo version)
    {
        if (context.Header.ModelVerWritten > Current)
        {
            var library = typeof(ModelFileVersion).Assembly.GetName();
            throw new NotSupportedException(
                $"The model file's part '{context.Directory}' has the format version {Format(context.Header.ModelVerWritten)}; this "
                + $"version of {library.Name} ({library.Version}) reads versions up to {Format(Current)}. "
                + "Update the package to load the file.");
        }

        context.CheckAtModel(version);
    }

    private static string Format(uint version) => $"{version >> 16}.{version & 0xFFFF}";
}
