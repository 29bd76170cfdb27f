using MLTransfer.Torch.Checkpoints.Gguf;
using Xunit;
using static MLTransfer.Torch.Tests.Checkpoints.Gguf.RawGguf;

namespace MLTransfer.Torch.Tests.Checkpoints.Gguf;

/// <summary>Whatever a file says, it is read or refused by name, and no more memory is taken than it has bytes.</summary>
public sealed class GgufHostileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, byte[], string> Broken => new()
    {
        { "magic", File(3, 0, 0)[1..], "GGUF" },
        { "version 1", File(1, 0, 0), "version 1" },
        { "big endian", [.. "GGUF"u8, 0, 0, 0, 3, .. new byte[16]], "big endian" },
        { "many tensors", File(3, ulong.MaxValue, 0), "no room" },
        { "many entries", File(3, 0, 1UL << 60), "no room" },
        { "a long key", File(3, 0, 1, Number(1UL << 40), new byte[40]), "bytes" },
        { "a long text", File(3, 0, 1, Text("k"), Type(8), Number(1UL << 40), new byte[40]), "'k' has" },
        { "a text beyond the end", File(3, 0, 1, Text("k"), Type(8), Number(1000), new byte[40]), "ends after" },
        { "no UTF-8", File(3, 0, 1, Text("k"), Type(8), Number(2), [0xff, 0xfe], new byte[20]), "UTF-8" },
        { "an unknown kind", File(3, 0, 1, Text("k"), Type(13), new byte[20]), "number 13" },
        { "a bool of 2", File(3, 0, 1, Text("k"), Type(7), [2], new byte[20]), "bool" },
        { "a long list", File(3, 0, 1, Text("k"), Type(9), Type(4), Number(1UL << 50), new byte[20]), "no room" },
        { "a long list of texts", File(3, 0, 1, Text("k"), Type(9), Type(8), Number(1 << 20), new byte[40]), "no room" },
        {
            "deep lists", File(3, 0, 1, [.. Text("k"), .. Type(9), .. Enumerable.Repeat<byte[]>([.. Type(9), .. Number(1)], 50)
                .SelectMany(list => list), .. new byte[20]]), "deeper"
        },
        { "a key twice", File(3, 0, 2, Text("k"), Type(0), [1], Text("k"), Type(0), [1], new byte[20]), "twice" },
        { "alignment 3", File(3, 0, 1, Text("general.alignment"), Type(4), Type(3), new byte[64]), "power of two" },
        { "alignment as a text", File(3, 0, 1, Text("general.alignment"), Type(8), Text("32"), new byte[64]), "whole number" },
        { "five dimensions", Tensor([2, 2, 2, 2, 2], 0, 0), "5 dimensions" },
        { "an extent of 0", Tensor([0, 2], 0, 0), "extent 0" },
        { "a negative extent", Tensor([ulong.MaxValue], 0, 0), "extent" },
        { "a product that overflows", Tensor([1UL << 40, 1UL << 40], 0, 0), "too large" },
        { "a type that is not known", Tensor([32], 4, 0), "number 4" },
        { "rows of half a block", Tensor([16, 2], 8, 0), "blocks of 32" },
        { "an offset between", Tensor([8], 0, 4), "multiple" },
        { "an offset beyond the end", Tensor([8], 0, 1UL << 40), "cut off" },
        { "data beyond the end", Tensor([1 << 20], 0, 0), "cut off" },
        { "data in one place", Tensor([8], 0, 0, [8], 0, 0), "overlap" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_broken_rule_is_refused_with_the_file_and_the_reason(string name, byte[] content, string reason)
    {
        var path = _folder[$"{name}.gguf"];
        System.IO.File.WriteAllBytes(path, content);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var message = Assert.Throws<InvalidDataException>(() => GgufFile.Open(path)).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_file_that_is_cut_off_or_has_another_byte_is_read_or_refused() => HostileFile.SurvivesEveryCutAndMutation(
        TinyGguf.Write(_folder["tiny.gguf"]), _folder["damaged.gguf"], GgufFile.Open);

    [Theory]
    [InlineData("llama-tiny.q8_0.gguf")]
    [InlineData("gpt2-tiny.q4_0.gguf")]
    public void A_scrambled_file_is_read_or_refused(string name)
    {
        var valid = System.IO.File.ReadAllBytes(GgufReferences.Extract(name, _folder));
        var path = _folder["scrambled.gguf"];
        var refused = 0;
        for (var seed = 0; seed < Mutation.Rounds(60); seed++)
        {
            // Most of the file is data, which any bytes are.
            var header = HostileFile.Scramble(valid[..18000], seed);
            System.IO.File.WriteAllBytes(path, [.. header, .. valid[18000..]]);
            try
            {
                using var file = GgufFile.Open(path);
                foreach (var (tensor, info) in file.Tensors)
                {
                    using var read = file.Read(tensor);
                    Assert.Equal(info.Shape, read.shape);
                }
            }
            catch (InvalidDataException exception)
            {
                Assert.Contains(path, exception.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.InRange(refused, 1, Mutation.Rounds(60));
    }
}
