using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace MLTransfer.Tests.Persistence;

/// <summary>Another process, which loads a model file and generates with nothing but ML.NET's own calls.</summary>
internal static class LoadingProcess
{
    private const string Name = "MLTransfer.Tests.LoadingProcess";

    /// <summary>The texts that each of several models generates.</summary>
    public static async Task<string[][]> RunAllAsync(IEnumerable<string> modelFiles, string outputColumn, string[] prompts) =>
        [.. (await RunAsync<string>(string.Join(Path.PathSeparator, modelFiles), outputColumn, prompts)).Values.Chunk(prompts.Length)];

    /// <summary>The generated texts, and the files that the process had loaded at its end.</summary>
    public static async Task<(string[] Texts, string[] Modules)> RunAsync(string modelFile, string outputColumn, string[] prompts)
    {
        var (values, modules) = await RunAsync<string>(modelFile, outputColumn, prompts);
        return ([.. values], modules);
    }

    /// <summary>The bytes of the pictures that are made for texts or numbers.</summary>
    public static async Task<List<byte[]>> RunForPicturesAsync(string modelFile, string outputColumn, string[] rows) =>
        (await RunAsync<byte[]>(modelFile, outputColumn, rows)).Values;

    /// <summary>The bytes of what is made for texts, and the files that the process had loaded at its end.</summary>
    public static Task<(List<byte[]> Values, string[] Modules)> RunForBytesAsync(
        string modelFile, string outputColumn, string[] rows) => RunAsync<byte[]>(modelFile, outputColumn, rows);

    private static async Task<(List<T> Values, string[] Modules)> RunAsync<T>(string modelFile, string outputColumn, string[] rows)
    {
        // It has an output folder like that of the tests, next to it.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", Name, configuration, Name + ".dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, modelFile, outputColumn, .. rows])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = System.Text.Encoding.UTF8,
            Environment = { ["OMP_NUM_THREADS"] = "1" }, // as many as the tests have: other numbers of threads add in another order
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return (
            [.. Lines(await output).Select(line => JsonSerializer.Deserialize<T>(line)!)],
            [.. Lines(await errors).Where(line => line.StartsWith("loaded ", StringComparison.Ordinal))
                .Select(line => line["loaded ".Length..].Trim())]);

        static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Whether a file is one of libtorch's libraries or the native library through which TorchSharp calls them.</summary>
    public static bool IsLibtorch(string module) =>
        module.Contains("torch", StringComparison.OrdinalIgnoreCase) && module is not ("TorchSharp.dll" or "MLTransfer.Torch.dll");
}
