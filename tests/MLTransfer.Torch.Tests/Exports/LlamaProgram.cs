using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace MLTransfer.Torch.Tests.Exports;

/// <summary>Runs GGUF files with llama.cpp, in a process of its own: see <c>tests/MLTransfer.Tests.LlamaProcess</c>.</summary>
internal static class LlamaProgram
{
    private const string Name = "MLTransfer.Tests.LlamaProcess";

    /// <summary>What is done with a file: see the record of that name in the program.</summary>
    internal sealed record Job(
        string File, int[][] Prompts, int Count, string[]? Texts = null, string? Adapter = null, uint Context = 64);

    /// <summary>What came of it.</summary>
    internal sealed record Answer(int[][] Continuations, float[][] Logits, int[][] Tokens, string? Error);

    /// <summary>Does jobs one after the other.</summary>
    public static Answer[] Run(params IEnumerable<Job> jobs)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", Name, configuration, Name + ".dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["DOTNET_DbgEnableMiniDump"] = "0" },
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.StandardInput.Write(JsonSerializer.Serialize(
            jobs.Select(job => job with { Texts = job.Texts ?? [] }), JsonSerializerOptions.Web));
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"llama.cpp ended with {process.ExitCode}: {errors.Result}");
        return JsonSerializer.Deserialize<Answer[]>(output.Result, JsonSerializerOptions.Web)!;
    }
}
