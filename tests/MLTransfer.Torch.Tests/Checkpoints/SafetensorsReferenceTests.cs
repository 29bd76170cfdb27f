using MLTransfer.Torch.Checkpoints.Safetensors;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>Files that Python's safetensors wrote.</summary>
public class SafetensorsReferenceTests
{
    public static TheoryData<string> Files =>
    [
        "model.safetensors", "fp16/model.safetensors", "bf16/model.safetensors", "forward.safetensors",
        "lora_start/adapter_model.safetensors",
        "training.final.safetensors", "sharded/model-00003-of-00010.safetensors",
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_written_again_has_the_same_bytes(string name)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        string path = RepositoryFiles.Data("gpt2-tiny/" + name), copy = folder["copy.safetensors"];
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            SafetensorsWriter.Write(
                copy, file.Tensors.Keys.Reverse().Select(key => KeyValuePair.Create(key, file.Read(key))), file.Metadata);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(copy));
    }
}
