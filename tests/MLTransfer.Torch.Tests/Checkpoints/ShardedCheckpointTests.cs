using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

public class ShardedCheckpointTests
{
    [Theory]
    [InlineData("../outside.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/inside.safetensors")]
    [InlineData(@"..\\outside.safetensors")]
    [InlineData("C:outside.safetensors")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    public void A_shard_outside_of_the_folder_is_refused(string shard)
    {
        using var folder = new TemporaryFolder();
        string message = Assert.Throws<InvalidDataException>(() => OpenIndex(folder, $$$"""{"weight_map":{"a":"{{{shard}}}"}}""")).Message;
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
        Assert.Contains("'a'", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"weight_map":[]}""")]
    [InlineData("""{"weight_map":{"a":1}}""")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""")]
    [InlineData("""{"weight_map":{"a":"x","a":"x"}}""")]
    [InlineData("""{"weight_map":""")]
    [InlineData("")]
    public void An_index_that_is_not_valid_is_refused_with_its_name(string index)
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(folder.Path, Assert.Throws<InvalidDataException>(() => OpenIndex(folder, index)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_shard_is_named_when_the_index_is_opened()
    {
        using var folder = new TemporaryFolder();
        string message = Assert.Throws<FileNotFoundException>(() =>
            OpenIndex(folder, """{"weight_map":{"a":"model-00001-of-00001.safetensors"}}""")).Message;
        Assert.Contains("model-00001-of-00001.safetensors", message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_that_its_shard_does_not_hold_is_named()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(folder["one.safetensors"], [KeyValuePair.Create("a", ones(2))]);
        using Checkpoint checkpoint = OpenIndex(folder, """{"weight_map":{"a":"one.safetensors","b":"one.safetensors"}}""");
        Assert.Equal(2, checkpoint.Read("a").numel());
        string message = Assert.Throws<InvalidDataException>(() => checkpoint.Read("b")).Message;
        Assert.Contains("'b'", message, StringComparison.Ordinal);
        Assert.Contains("one.safetensors", message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => checkpoint.Tensors);
    }

    [Fact]
    public void A_shard_is_opened_only_when_one_of_its_tensors_is_asked_for()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(folder["good.safetensors"], [KeyValuePair.Create("a", ones(2))]);
        File.WriteAllText(folder["damaged.safetensors"], "not safetensors at all");
        using Checkpoint checkpoint = OpenIndex(folder, """{"weight_map":{"a":"good.safetensors","b":"damaged.safetensors"}}""");
        Assert.Equal(2, checkpoint.Read("a").numel());
        Assert.Contains(
            "damaged.safetensors", Assert.Throws<InvalidDataException>(() => checkpoint.Read("b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_of_pickled_files_are_read()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        foreach (int shard in (int[])[1, 2])
            File.Copy(RepositoryFiles.Data("gpt2-tiny/pytorch_model.bin"), folder[$"pytorch_model-0000{shard}-of-00002.bin"]);
        File.WriteAllText(folder["pytorch_model.bin.index.json"], JsonSerializer.Serialize(new
        {
            metadata = new { total_size = 0 },
            weight_map = new Dictionary<string, string>
            {
                ["transformer.ln_f.weight"] = "pytorch_model-00001-of-00002.bin",
                ["transformer.ln_f.bias"] = "pytorch_model-00002-of-00002.bin",
            },
        }));
        using Checkpoint sharded = Checkpoint.Open(folder.Path);
        using Checkpoint single = Checkpoint.Open(RepositoryFiles.Data("gpt2-tiny"));
        Assert.Equal(2, sharded.Tensors.Count);
        foreach (string name in sharded.Tensors.Keys) TensorBytes.AssertEqual(single.Read(name), sharded.Read(name));
    }

    private static Checkpoint OpenIndex(TemporaryFolder folder, string index)
    {
        File.WriteAllText(folder["model.safetensors.index.json"], index);
        return Checkpoint.Open(folder.Path);
    }
}
