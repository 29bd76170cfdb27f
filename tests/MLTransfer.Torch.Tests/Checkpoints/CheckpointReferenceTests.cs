using MLTransfer.Torch.Checkpoints;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>The same weights as Python's transformers saved them in several formats.</summary>
public class CheckpointReferenceTests
{
    private static string Folder(string variant) => RepositoryFiles.Data(Path.Combine("gpt2-tiny", variant));

    [Fact]
    public void Shards_hold_the_same_tensors_as_the_single_file()
    {
        using var scope = NewDisposeScope();
        using Checkpoint single = Checkpoint.Open(Folder(""));
        using Checkpoint sharded = Checkpoint.Open(Folder("sharded"));
        Assert.NotEmpty(single.Tensors);
        TensorBytes.AssertHolds(TensorBytes.ReadAll(single), sharded);
    }

    [Fact]
    public void A_pickled_file_holds_the_same_tensors_as_the_single_file()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(Folder(""), "pytorch_model.bin"), folder["pytorch_model.bin"]);
        using Checkpoint single = Checkpoint.Open(Folder(""));
        using Checkpoint pickled = Checkpoint.Open(folder.Path);
        foreach (var (name, tensor) in TensorBytes.ReadAll(single)) TensorBytes.AssertEqual(tensor, pickled.Read(name));
        TensorBytes.AssertEqual(single.Read("transformer.wte.weight"), pickled.Read("lm_head.weight"));
        Assert.Equal(single.Tensors.Count + 1, pickled.Tensors.Count);
    }

    [Theory]
    [InlineData("fp16", ScalarType.Float16)]
    [InlineData("bf16", ScalarType.BFloat16)]
    public void Half_precision_files_hold_the_converted_tensors(string variant, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using Checkpoint single = Checkpoint.Open(Folder(""));
        using Checkpoint half = Checkpoint.Open(Folder(variant));
        TensorBytes.AssertHolds(TensorBytes.ReadAll(single).ToDictionary(tensor => tensor.Key, tensor => tensor.Value.to(type)), half);
    }

    [Theory]
    [InlineData("fp16", ScalarType.Float16)]
    [InlineData("bf16", ScalarType.BFloat16)]
    public void Storing_in_half_precision_gives_the_same_bytes(string variant, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using (Checkpoint single = Checkpoint.Open(Folder("")))
            CheckpointWriter.Write(folder.Path, TensorBytes.ReadAll(single), type);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Folder(variant), "model.safetensors")), File.ReadAllBytes(folder["model.safetensors"]));
    }

    [Fact]
    public void Shards_and_their_index_are_written_with_the_same_bytes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        // The pickled dictionary has the order of the module's state, which decides the shards; the tied head is left out.
        using (Checkpoint pickled = Checkpoint.Open(PickledFolder(folder)))
        {
            var tensors = pickled.Tensors.Keys.Where(name => name != "lm_head.weight")
                .Select(name => KeyValuePair.Create(name, pickled.Read(name)));
            CheckpointWriter.Write(folder.Path, tensors, maximumShardBytes: 50_000);
        }
        string[] expected =
            [.. Directory.GetFiles(Folder("sharded"), "model*").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        Assert.Equal(
            expected, Directory.GetFiles(folder.Path, "model*").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        foreach (string file in expected)
            Assert.Equal(File.ReadAllBytes(Path.Combine(Folder("sharded"), file)), File.ReadAllBytes(folder[file]));
    }

    private static string PickledFolder(TemporaryFolder folder)
    {
        string pickled = Directory.CreateDirectory(folder["pickled"]).FullName;
        File.Copy(Path.Combine(Folder(""), "pytorch_model.bin"), Path.Combine(pickled, "pytorch_model.bin"));
        return pickled;
    }
}
