using System.IO.Compression;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>A file inside a component's folder of a model file.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Length">Its bytes, unpacked.</param>
/// <param name="Checksum">The CRC-32 of these bytes.</param>
internal sealed record StoredFile(string Name, long Length, uint Checksum)
{
    // Deflate's: a file that claims more must not have memory reserved for it.
    private const int MaximumExpansion = 1032;

    /// <summary>One of a component's files.</summary>
    /// <param name="files">All of them.</param>
    /// <param name="name">Its name.</param>
    /// <param name="component">What error messages call the component.</param>
    /// <exception cref="InvalidDataException">There is no such file.</exception>
    public static StoredFile Find(IReadOnlyList<StoredFile> files, string name, string component) =>
        files.FirstOrDefault(file => file.Name == name)
            ?? throw new InvalidDataException($"The model file is damaged: its {component} has no '{name}'.");

    /// <summary>Writes a file.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="archive">The archive of the context; null to leave the writing to ML.NET, which is slower.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="compress">False for weights: they hardly become smaller, and are read much faster.</param>
    /// <param name="write">Writes the content.</param>
    public static StoredFile Write(ModelSaveContext context, ZipArchive? archive, string name, bool compress, Action<Stream> write)
    {
        StoredFile? file = null;
        if (archive is not null)
        {
            var level = compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression;
            using var stream = archive.CreateEntry(Path.Combine(context.Directory ?? "", name), level).Open();
            WriteTo(stream);
        }
        else
        {
            context.SaveBinaryStream(name, writer => WriteTo(writer.BaseStream));
        }

        return file!;

        void WriteTo(Stream stream)
        {
            using var counting = new ChecksumStream(stream);
            write(counting);
            file = new StoredFile(name, counting.Count, counting.Checksum);
        }
    }

    /// <summary>Reads a file as it was written.</summary>
    /// <param name="context">Where from.</param>
    /// <param name="archive">The archive of the context; null to leave the reading to ML.NET, which is slower.</param>
    /// <param name="read">Reads the content to its end; it disposes nothing.</param>
    /// <exception cref="InvalidDataException">The file is missing or damaged.</exception>
    public T Read<T>(ModelLoadContext context, ZipArchive? archive, Func<Stream, T> read)
        where T : class
    {
        T? result = null;
        try
        {
            if (Find(context, archive) is { } entry)
            {
                if (entry.Length != Length)
                    throw Damaged(context, $"it has {entry.Length} bytes; {Length} were saved");
                if (entry.Length / MaximumExpansion > entry.CompressedLength)
                    throw Damaged(context, $"{entry.CompressedLength} bytes cannot be unpacked to {entry.Length}");
                using var stream = Open(entry);
                ReadFrom(stream);
            }
            else if (archive is not null || !context.TryLoadBinaryStream(Name, reader => ReadFrom(reader.BaseStream)))
            {
                throw Damaged(context, "it is missing");
            }

            return result!;
        }
        catch
        {
            (result as IDisposable)?.Dispose();
            throw;
        }

        Stream Open(ZipArchiveEntry entry)
        {
            try
            {
                return entry.Open();
            }
            catch (InvalidDataException exception)
            {
                throw Damaged(context, exception.Message.TrimEnd('.'), exception);
            }
        }

        void ReadFrom(Stream stream)
        {
            using var counting = new ChecksumStream(stream);
            try
            {
                result = read(counting);
            }
            catch (Exception exception) when (exception is IOException or InvalidDataException or NotSupportedException)
            {
                throw Damaged(context, exception.Message.TrimEnd('.'), exception);
            }

            if (counting.Count != Length)
                throw Damaged(context, $"it has {counting.Count} bytes; {Length} were saved");
            if (counting.Checksum != Checksum)
                throw Damaged(context, $"its bytes have the CRC-32 {counting.Checksum:x8}; those saved had {Checksum:x8}");
        }
    }

    /// <summary>Reads a small file whole.</summary>
    /// <exception cref="InvalidDataException">The file is missing, damaged or too large.</exception>
    public byte[] ReadBytes(ModelLoadContext context, ZipArchive? archive, FileKind kind)
    {
        kind.Check(Length, $"The model file is damaged: entry '{Path.Combine(context.Directory ?? "", Name)}'");
        return Read(context, archive, stream =>
        {
            var bytes = new byte[Length];
            stream.ReadExactly(bytes);
            return bytes;
        });
    }

    /// <summary>Writes the file to disk.</summary>
    /// <exception cref="InvalidDataException">The file is missing or damaged.</exception>
    public void Extract(ModelLoadContext context, ZipArchive? archive, string folder)
    {
        var path = Path.Combine(folder, Name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        Read(context, archive, source =>
        {
            var buffer = new byte[1 << 20];
            for (var left = Length; left > 0;)
            {
                var count = source.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
                if (count == 0)
                    break; // what is missing is reported by the caller
                target.Write(buffer, 0, count);
                left -= count;
            }

            return this;
        });
    }

    private InvalidDataException Damaged(ModelLoadContext context, string what, Exception? inner = null) =>
        new($"The model file is damaged: entry '{Path.Combine(context.Directory ?? "", Name)}': {what}.", inner);

    private ZipArchiveEntry? Find(ModelLoadContext context, ZipArchive? archive)
    {
        var path = RepositoryArchive.Normalize(Path.Combine(context.Directory ?? "", Name));
        return archive?.Entries.FirstOrDefault(entry => RepositoryArchive.Normalize(entry.FullName) == path);
    }
}
