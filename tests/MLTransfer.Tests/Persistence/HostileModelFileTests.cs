using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using Microsoft.ML;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using Xunit;

namespace MLTransfer.Tests.Persistence;

/// <summary>Model files whose checksums hold, but which somebody made to do harm.</summary>
public sealed class HostileModelFileTests : IDisposable
{
    private const long MaximumAllocation = 256 << 20;

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("text", "\"GenerationBatchSize\":2", "\"GenerationBatchSize\":100000000", "GenerationBatchSize must be at most 65536")]
    [InlineData("text", "\"MaximumNewTokens\":16", "\"MaximumNewTokens\":2000000000", "MaximumNewTokens must be at most 1048576")]
    [InlineData("text", "\"BeamCount\":1", "\"BeamCount\":100000000", "BeamCount is 100000000; expected 1 to 1024")]
    [InlineData("text", "\"BatchSize\":8", "\"BatchSize\":100000000", "BatchSize is 100000000; expected 1 to 65536")]
    [InlineData(
        "sampling", "\"SequencesPerPrompt\":1", "\"SequencesPerPrompt\":100000000", "SequencesPerPrompt must be at most 1024")]
    [InlineData("text", "\"WeightType\":0", "\"WeightType\":0,\"WeightType\":0", "WeightType")]
    [InlineData("text", "\"Input\":\"Prompt\"", "\"Input\":\"\\ud800\"", "is not valid JSON")]
    [InlineData("text", "\"Name\":\"vocab.json\"", "\"Name\":\"vocab\\u0000.json\"", "it has a file named")]
    [InlineData("text", "\"Name\":\"vocab.json\"", "\"Name\":\"merges.txt\"", "two files named 'merges.txt'")]
    [InlineData("text", "\"Length\":598600", "\"Length\":2000000000", "2000000000 were saved")]
    [InlineData("text", "\"Length\":611", "\"Length\":2000000000", "a configuration has at most 16777216")]
    [InlineData("adapter", "\"Id\":\"mltransfer/tales\"", "\"Id\":\"a\\u0000b\"", "names no model")]
    [InlineData("adapter", "\"Sha256\":\"c2", "\"Sha256\":\"", "is not the SHA-256 of a model")]
    [InlineData("image", "\"GenerationBatchSize\":3", "\"GenerationBatchSize\":100000000", "GenerationBatchSize must be at most 65536")]
    [InlineData("image", "\"Seed\":5", "\"Seed\":5,\"Seed\":6", "Seed")]
    [InlineData(
        "network", "\"TransformBatchSize\":32", "\"TransformBatchSize\":100000000", "TransformBatchSize must be at most 1048576")]
    [InlineData("network", "\"InputShape\":[3]", "\"InputShape\":[2000000000,2]", "is not usable")]
    [InlineData("network", "\"Units\":8", "\"Units\":16000000", "[16000000, 3]")]
    [InlineData("network", "\"type\":\"dense\"", "\"type\":\"other\"", "malformed")]
    [InlineData("onnx", "\"ThreadCount\":0", "\"ThreadCount\":100000000", "ThreadCount is 100000000; expected 0 to 1024")]
    [InlineData("onnx", "\"GenerationBatchSize\":8", "\"GenerationBatchSize\":100000000", "GenerationBatchSize must be at most 65536")]
    [InlineData("onnx", "\"Name\":\"model.onnx\"", "\"Name\":\"../model.onnx\"", "it has a file named '../model.onnx'")]
    public void What_a_file_may_ask_for_is_bounded(string kind, string original, string hostile, string expected)
    {
        ManifestEditor.Copy(FileOf(kind), _folder["hostile.zip"], json => json.Contains(original, StringComparison.Ordinal)
            ? json.Replace(original, hostile, StringComparison.Ordinal)
            : throw new ArgumentException($"There is no {original} in {json}."));
        var (threads, allocated) = (Process.GetCurrentProcess().Threads.Count, GC.GetTotalAllocatedBytes());

        var error = Assert.IsType<InvalidDataException>(LoadError("hostile.zip"));

        Assert.Matches("^The model file is damaged|^new_layers.safetensors ", error.Message);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, MaximumAllocation);
        Assert.InRange(Process.GetCurrentProcess().Threads.Count - threads, -1000, 50);
    }

    [Fact]
    public void An_entry_that_is_listed_twice_is_refused_by_name()
    {
        File.Copy(FileOf("text"), _folder["hostile.zip"]);
        using (var zip = ZipFile.Open(_folder["hostile.zip"], ZipArchiveMode.Update))
        {
            var name = zip.Entries.Single(entry => entry.Name == "config.json").FullName;
            using var stream = zip.CreateEntry(name.Replace('/', '\\')).Open();
            stream.Write("{}"u8);
        }

        var message = Assert.IsType<InvalidDataException>(LoadError("hostile.zip")).Message;
        Assert.Contains("config.json", message, StringComparison.Ordinal);
        Assert.Contains("listed twice", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_with_NUL_in_its_name_is_refused()
    {
        File.Copy(FileOf("text"), _folder["hostile.zip"]);
        using (var zip = ZipFile.Open(_folder["hostile.zip"], ZipArchiveMode.Update))
            zip.CreateEntry("a\0b");
        Assert.Contains("NUL", Assert.IsType<InvalidDataException>(LoadError("hostile.zip")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text", 60)]
    [InlineData("adapter", 30)]
    [InlineData("image", 60)]
    [InlineData("network", 100)]
    public void A_damaged_description_is_read_or_refused_but_nothing_else_happens(string kind, int rounds)
    {
        rounds = Mutation.Rounds(rounds);
        var refused = 0;
        for (var round = 0; round < rounds; round++)
        {
            ManifestEditor.Copy(FileOf(kind), _folder["hostile.zip"], new Mutation(round).Apply);
            var allocated = GC.GetTotalAllocatedBytes();
            try
            {
                (_ml.Model.Load(_folder["hostile.zip"], out _) as IDisposable)?.Dispose();
            }
            catch (Exception exception)
            {
                refused++;
                Assert.True(
                    Cause(exception) is InvalidDataException or IOException or NotSupportedException or InvalidOperationException,
                    $"round {round}: {exception}");
            }

            Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, MaximumAllocation);
        }

        Assert.InRange(refused, rounds / 4, rounds);
    }

    private string FileOf(string kind)
    {
        if (kind == "sampling")
        {
            ManifestEditor.Copy(FileOf("text"), _folder["sampling.zip"], json =>
                json.Replace("\"Sample\":false", "\"Sample\":true", StringComparison.Ordinal));
            return _folder["sampling.zip"];
        }

        if (kind != "onnx")
            return RepositoryFiles.Data($"zips/{(kind == "adapter" ? "text-adapter" : kind)}-0.1.zip");
        using (var model = TextGenerationModel.Load(TestData.TinyModel))
            OnnxExporter.Export(model.Network, model.Tokenizer, _folder["export"], new OnnxExportOptions { Check = false });
        using var transformer = _ml.Generation.LoadOnnx(_folder["export"]);
        _ml.Model.Save(transformer, _ml.Data.LoadFromEnumerable(TestData.Stories(1)).Schema, _folder["onnx.zip"]);
        return _folder["onnx.zip"];
    }

    private Exception LoadError(string name) => Cause(Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder[name], out _)));

    /// <summary>What a component threw: ML.NET wraps it.</summary>
    private static Exception Cause(Exception exception)
    {
        while (exception is TargetInvocationException or InvalidOperationException && exception.InnerException is { } inner)
            exception = inner;
        return exception;
    }
}
