using System.IO.Compression;
using System.Runtime.CompilerServices;
using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>
/// The zip archive inside ML.NET's repository of a model file. ML.NET itself compresses every entry and unpacks it into a temporary file,
/// which takes seconds for the weights of a language model.
/// </summary>
internal static class RepositoryArchive
{
    /// <summary>The archive, or null where this version of ML.NET keeps it elsewhere.</summary>
    public static ZipArchive? Of(RepositoryWriter repository)
    {
        try
        {
            return Field(repository);
        }
        catch (MissingFieldException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="Of(RepositoryWriter)"/>
    public static ZipArchive? Of(RepositoryReader repository)
    {
        try
        {
            return Field(repository);
        }
        catch (MissingFieldException)
        {
            return null;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_archive")]
    private static extern ref ZipArchive Field(RepositoryWriter repository);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_archive")]
    private static extern ref ZipArchive Field(RepositoryReader repository);
}
