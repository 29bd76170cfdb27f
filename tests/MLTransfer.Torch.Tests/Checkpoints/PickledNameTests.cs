using MLTransfer.Torch.Checkpoints.Pickle;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>Classes that a pickle names, as checkpoints of training programs do by whose state they keep.</summary>
public class PickledNameTests
{
    private const string Module = "pytorch_lightning.callbacks.model_checkpoint";
    private const string Class = "ModelCheckpoint";

    [Fact]
    public void State_by_class_is_left_out()
    {
        var pickle = PickleBytes.StartOfDictionary()
            .Text("callbacks").Op('}').Op('(').Global(Module, Class).Op((byte)'q', 9).Op('}').Text("monitor").Text("val").Op('s')
            .Op((byte)'h', 9).Op('N').Text("seen").Number(1).Op('u').Op('s').Op('.').ToArray();
        using var folder = new TemporaryFolder();
        using var file = Open(folder, pickle);
        Assert.Equal("weight", Assert.Single(file.Tensors).Key);
    }

    public static TheoryData<byte[]> Uses => new()
    {
        PickleBytes.StartOfDictionary().Text("a").Global(Module, Class).Op('s').Op('.').ToArray(),
        PickleBytes.StartOfDictionary().Global(Module, Class).Global(Module, Class).Op('s').Op('.').ToArray(),
        PickleBytes.StartOfDictionary().Global(Module, Class).Op(')').Op('R').Op('.').ToArray(),
        PickleBytes.StartOfDictionary().Global(Module, Class).Op(0x85).Op('N').Op('s').Op('.').ToArray(),
        PickleBytes.StartOfDictionary().Op(']').Global(Module, Class).Op('a').Op('.').ToArray(),
        PickleBytes.StartOfDictionary().Global(Module, Class).Op('}').Op('b').Op('.').ToArray(),
        new PickleBytes().Protocol().Global(Module, Class).Op((byte)'q', 1).Op((byte)'h', 1).Op('.').ToArray(),
    };

    [Theory]
    [MemberData(nameof(Uses))]
    public void Whatever_else_is_done_with_a_class_is_refused(byte[] pickle)
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(Class, Assert.Throws<InvalidDataException>(() => Open(folder, pickle)).Message, StringComparison.Ordinal);
    }

    private static PickledFile Open(TemporaryFolder folder, byte[] pickle)
    {
        File.WriteAllBytes(folder["last.ckpt"], PyTorchZip.Stored([("last/data.pkl", pickle), ("last/data/0", new byte[24])]));
        return PickledFile.Open(folder["last.ckpt"]);
    }
}
