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

    /// <summary>The archive, or null where this version of ML.NET keeps it elsewhere.</summary>
    /// <exception cref="InvalidDataException">An entry is listed twice, so that readers may take one or the other, or has NUL in its
    /// name.</exception>
    public static ZipArchive? Open(RepositoryReader repository)
    {
        ZipArchive archive;
        try
        {
            archive = Field(repository);
        }
        catch (MissingFieldException)
        {
            return null;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in archive.Entries.Select(entry => Normalize(entry.FullName)))
        {
            if (name.Contains('\0', StringComparison.Ordinal))
                throw new InvalidDataException("The model file is damaged: the name of an entry has the character NUL in it.");
            if (!names.Add(name))
                throw new InvalidDataException($"The model file is damaged: the entry '{name}' is listed twice.");
        }

        return archive;
    }

    /// <summary>An entry's path with slashes: ML.NET writes the separator of the system.</summary>
    public static string Normalize(string path) => path.Replace('\\', '/');

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_archive")]
    private static extern ref ZipArchive Field(RepositoryWriter repository);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_archive")]
    private static extern ref ZipArchive Field(RepositoryReader repository);
}
