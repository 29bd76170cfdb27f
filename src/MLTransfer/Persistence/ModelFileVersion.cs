using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>The versions that ML.NET writes at the head of a component's part of a model file.</summary>
internal static class ModelFileVersion
{
    /// <summary>The version information of a component whose signature has eight characters.</summary>
    public static VersionInfo Create(string signature, string loaderSignature) =>
        new(signature, 0x00010001, 0x00010001, 0x00010001, typeof(ModelFileVersion).Assembly.FullName!, loaderSignature);
}
