using System.Text;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Persistence;

public class StoredFileTests
{
    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    [InlineData(false, false, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public void A_file_is_read_as_it_was_written_whichever_way_ML_NET_allows(bool writeArchive, bool readArchive, bool compress)
    {
        var content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("some content ", 1000)));
        using var zip = new MemoryStream();
        StoredFile file;
        using (var repository = RepositoryWriter.CreateNew(zip))
        {
            using (var context = new ModelSaveContext(repository, "Part", "Model.key"))
            {
                var archive = RepositoryArchive.Of(repository);
                Assert.NotNull(archive);
                context.SetVersionInfo(ModelFileVersion.Create("TESTPART", "Test"));
                file = StoredFile.Write(context, writeArchive ? archive : null, "file.bin", compress, stream => stream.Write(content));
                context.Done();
            }

            repository.Commit();
        }

        Assert.Equal(content.Length, file.Length);
        zip.Position = 0;
        using var reader = RepositoryReader.Open(zip);
        using var entry = reader.OpenEntry("Part", "Model.key");
        using var loading = new ModelLoadContext(reader, entry, "Part");
        var found = readArchive ? RepositoryArchive.Open(reader) : null;
        Assert.Equal(content, file.ReadBytes(loading, found, FileKind.Configuration));

        Refused("CRC-32", file with { Checksum = file.Checksum + 1 });
        Refused("were saved", file with { Length = file.Length + 1 });
        Refused("were saved", file with { Length = file.Length - 1 });
        Refused("missing", file with { Name = "other.bin" });
        Refused("at most", file with { Length = 17 << 20 });

        void Refused(string expected, StoredFile wrong)
        {
            var message = Assert.Throws<InvalidDataException>(() => wrong.ReadBytes(loading, found, FileKind.Configuration)).Message;
            Assert.Contains(wrong.Name, message, StringComparison.Ordinal);
            if (wrong.Length == file.Length || readArchive || expected == "at most") // ML.NET's reader does not tell the length beforehand
                Assert.Contains(expected, message, StringComparison.Ordinal);
        }
    }
}
