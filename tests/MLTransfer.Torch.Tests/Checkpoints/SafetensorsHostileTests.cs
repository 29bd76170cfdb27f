using System.Buffers.Binary;
using System.Text;
using FsCheck.Xunit;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

public class SafetensorsHostileTests
{
    public static TheoryData<string, int, string> BrokenHeaders => new()
    {
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "cut off" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "12 bytes follow" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "takes 8 bytes" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "before it begins" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "hole" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "hole" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "overlap" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "twice" },
        { """{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "twice" },
        { """{"__metadata__":{"k":"1","k":"2"}}""", 0, "twice" },
        { """{"__metadata__":{"k":1}}""", 0, "not a string" },
        { """{"__metadata__":[]}""", 0, "not a JSON object" },
        { """{"a":[]}""", 0, "not a JSON object" },
        { """{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}""", 1, "F8_E4M3" },
        { """{"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}}""", 1, "dtype" },
        { """{"a":{"shape":[1],"data_offsets":[0,1]}}""", 1, "no dtype" },
        { """{"a":{"dtype":"U8","data_offsets":[0,1]}}""", 1, "no shape" },
        { """{"a":{"dtype":"U8","shape":[1]}}""", 1, "no data_offsets" },
        { """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", 1, "no data_offsets" },
        { """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""", 1, "more than 2" },
        { """{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "'-1'" },
        { """{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1, "'1.5'" },
        { """{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", 1, "shape" },
        { """{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", 1, "not a list" },
        { """{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}}""", 1, "99999999999999999999" },
        { """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "too large" },
        { """{"a":{"dtype":"F32","shape":[0,4611686018427387904,4611686018427387904],"data_offsets":[0,0]}}""", 0, "too large" },
        { $$$"""{"a":{"dtype":"U8","shape":[{{{string.Join(',', Enumerable.Repeat(1, 65))}}}],"data_offsets":[0,1]}}""", 1,
            "more than 64" },
        { """{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "JSON" },
        { """{"a":{}}}""", 0, "dtype" },
        { """{} {}""", 0, "JSON" },
        { """{"a" """, 0, "JSON" },
        { " {}", 0, "'{'" },
        { "", 0, "'{'" },
    };

    [Theory]
    [MemberData(nameof(BrokenHeaders))]
    public void A_broken_rule_is_refused_with_the_file_and_the_reason(string header, int dataLength, string reason)
    {
        using var folder = new TemporaryFolder();
        string path = folder["broken.safetensors"];
        byte[] bytes = FileOf(header, new byte[dataLength]);
        File.WriteAllBytes(path, bytes);
        string message = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new MemoryStream(bytes)));
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new TricklingStream(bytes)));
    }

    [Fact]
    public void Unknown_fields_of_a_tensor_are_skipped()
    {
        byte[] bytes = FileOf("""{"a":{"new":{"x":[1]},"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", [7]);
        using var scope = NewDisposeScope();
        using SafetensorsFile file = SafetensorsFile.Read(new MemoryStream(bytes));
        Assert.Equal(7, file.Read("a").item<byte>());
    }

    [Fact]
    public void A_header_without_padding_gives_copies_that_are_aligned()
    {
        byte[] data = [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40];
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        for (int spaces = 0; spaces < 8; spaces++)
        {
            string path = folder[$"{spaces}.safetensors"];
            File.WriteAllBytes(path, FileOf("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""" + new string(' ', spaces), data));
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Tensor tensor = file.Read("a");
            Assert.Equal([1f, 2f], tensor.data<float>().ToArray());
            unsafe { Assert.Equal(0, (long)NativeTensor.Pointer(tensor) % sizeof(float)); }
        }
    }

    [Fact]
    public void A_truth_value_that_is_neither_0_nor_1_is_refused()
    {
        byte[] bytes = FileOf("""{"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}""", [0, 1, 2]);
        using SafetensorsFile file = SafetensorsFile.Read(new MemoryStream(bytes), "x.safetensors");
        string message = Assert.Throws<InvalidDataException>(() => file.Read("mask")).Message;
        Assert.Contains("mask", message, StringComparison.Ordinal);
        Assert.Contains("x.safetensors", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(100_000_001)]
    [InlineData(9)]
    public void A_header_longer_than_the_file_or_the_limit_is_refused(ulong length)
    {
        byte[] bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        string message = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new MemoryStream(bytes))).Message;
        Assert.Contains($"{length}", message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new TricklingStream(bytes)));
    }

    [Fact]
    public void A_stream_that_claims_more_than_any_memory_holds_is_refused_once_it_ends()
    {
        byte[] bytes =
            FileOf("""{"huge":{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}}""", new byte[100]);
        string message = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new TricklingStream(bytes), "entry")).Message;
        Assert.Contains("'entry'", message, StringComparison.Ordinal);
        Assert.Contains("'huge'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_file_cut_off_or_changed_anywhere_opens_or_is_refused()
    {
        using var folder = new TemporaryFolder();
        HostileFile.SurvivesEveryCutAndMutation(SmallFile(), folder["small.safetensors"], SafetensorsFile.Open);
    }

    [Fact]
    public void A_stream_cut_off_anywhere_is_refused()
    {
        byte[] valid = SmallFile();
        for (int length = 0; length < valid.Length; length++)
        {
            byte[] cut = valid[..length];
            Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new MemoryStream(cut)));
            Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new TricklingStream(cut)));
        }
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(new TricklingStream([.. valid, 0])));
    }

    [Property(MaxTest = 300, EndSize = 1_000_000)]
    public void A_scrambled_file_opens_or_is_refused(int seed)
    {
        using var folder = new TemporaryFolder();
        string path = folder["scrambled.safetensors"];
        File.WriteAllBytes(path, HostileFile.Scramble(SmallFile(), seed));
        HostileFile.OpensOrIsRefused(path, SafetensorsFile.Open);
    }

    private static byte[] SmallFile()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, new Dictionary<string, Tensor>
        {
            ["weight"] = arange(6, dtype: ScalarType.Float32).view(2, 3),
            ["mask"] = ones(5, dtype: ScalarType.Bool),
            ["none"] = zeros(0, 4),
        });
        return stream.ToArray();
    }

    private static byte[] FileOf(string header, byte[] data)
    {
        byte[] length = new byte[8];
        byte[] json = Encoding.UTF8.GetBytes(header);
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }
}
