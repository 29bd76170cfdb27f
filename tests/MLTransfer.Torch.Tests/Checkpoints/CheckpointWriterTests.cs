using MLTransfer.Torch.Checkpoints;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

public class CheckpointWriterTests
{
    [Fact]
    public void Shards_replace_a_single_file_and_the_other_way_round()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        File.WriteAllText(folder["config.json"], "{}");
        File.WriteAllText(folder["model.safetensors.notes"], "");
        var first = new Dictionary<string, Tensor> { ["a"] = ones(10), ["b"] = ones(10), ["c"] = ones(10) };
        var second = first.ToDictionary(tensor => tensor.Key, tensor => tensor.Value * 2);

        CheckpointWriter.Write(folder.Path, first);
        AssertHolds(first, "model.safetensors");
        CheckpointWriter.Write(folder.Path, second, maximumShardBytes: 80);
        AssertHolds(second, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json");
        CheckpointWriter.Write(folder.Path, first, maximumShardBytes: 1);
        AssertHolds(first, "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors",
            "model.safetensors.index.json");
        CheckpointWriter.Write(folder.Path, second, maximumShardBytes: 120);
        AssertHolds(second, "model.safetensors");

        void AssertHolds(Dictionary<string, Tensor> tensors, params string[] files)
        {
            Assert.Equal(files.Append("config.json").Append("model.safetensors.notes").Order(StringComparer.Ordinal),
                Directory.GetFiles(folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
            using Checkpoint checkpoint = Checkpoint.Open(folder.Path);
            TensorBytes.AssertHolds(tensors, checkpoint);
        }
    }

    [Fact]
    public void The_limit_counts_the_bytes_in_the_type_stored()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        CheckpointWriter.Write(folder.Path, [new("a", ones(10)), new("b", ones(10))], ScalarType.Float16, maximumShardBytes: 40);
        Assert.True(File.Exists(folder["model.safetensors"]));
    }

    [Fact]
    public void A_name_in_two_shards_is_refused_before_anything_is_written()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(
            () => CheckpointWriter.Write(folder.Path, [new("a", ones(10)), new("a", ones(10))], maximumShardBytes: 40));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        using var folder = new TemporaryFolder();
        string missing = folder["missing"];
        Assert.Contains(missing, Assert.Throws<DirectoryNotFoundException>(() => CheckpointWriter.Write(missing, [])).Message,
            StringComparison.Ordinal);
    }
}
