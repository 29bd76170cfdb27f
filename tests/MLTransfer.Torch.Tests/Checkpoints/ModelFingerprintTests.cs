using System.Security.Cryptography;
using MLTransfer.Torch.Checkpoints;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints;

public sealed class ModelFingerprintTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Single_file_has_the_hash_that_sha256sum_prints() =>
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(RepositoryFiles.Data("gpt2-tiny/model.safetensors")))),
            ModelFingerprint.Compute(RepositoryFiles.Data("gpt2-tiny"), Stop));

    [Fact]
    public void Shards_are_hashed_one_after_the_other_in_name_order()
    {
        string folder = RepositoryFiles.Data("gpt2-tiny/sharded");
        byte[] all = [.. Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).SelectMany(File.ReadAllBytes)];

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(all)), ModelFingerprint.Compute(folder, Stop));
    }

    [Fact]
    public void Changed_weights_have_another_fingerprint()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "model.safetensors");
        File.WriteAllBytes(path, [1, 2, 3]);
        string first = ModelFingerprint.Compute(folder.Path, Stop);

        File.WriteAllBytes(path, [1, 2, 4]);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddSeconds(1));

        Assert.NotEqual(first, ModelFingerprint.Compute(folder.Path, Stop));
    }

    [Fact]
    public void Fingerprint_is_remembered_while_size_and_time_stay()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "model.safetensors");
        File.WriteAllBytes(path, [1, 2, 3]);
        string first = ModelFingerprint.Compute(folder.Path, Stop);
        DateTime time = File.GetLastWriteTimeUtc(path);

        File.WriteAllBytes(path, [9, 9, 9]);
        File.SetLastWriteTimeUtc(path, time);

        Assert.Equal(first, ModelFingerprint.Compute(folder.Path, Stop));
    }

    [Fact]
    public void Folder_with_a_missing_shard_is_refused()
    {
        using TemporaryFolder folder = new();
        const string Index = "model.safetensors.index.json";
        File.Copy(RepositoryFiles.Data($"gpt2-tiny/sharded/{Index}"), Path.Combine(folder.Path, Index));

        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => ModelFingerprint.Compute(folder.Path, Stop));

        Assert.Contains(folder.Path, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"weight_map\": {}}")]
    [InlineData("{\"weight_map\": {\"a\": 1}}")]
    [InlineData("{\"weight_map\": {\"a\": \"../b\"}}")]
    public void Malformed_index_is_refused_with_its_path(string json)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "pytorch_model.bin.index.json");
        File.WriteAllText(path, json);

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => ModelFingerprint.Compute(folder.Path, Stop));

        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }
}
