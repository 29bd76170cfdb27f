using System.Text.Json;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>Runs programs with Node.js, without a network.</summary>
internal static class NodeProgram
{
    // What a page or a package would call to download.
    private const string NoNetwork = "data:text/javascript,globalThis.fetch = () => { throw new Error('The tests have no network.'); };";

    /// <summary>Runs a program of this test project.</summary>
    /// <param name="name">Its file in the folder <c>node</c>.</param>
    /// <param name="input">Goes to it as JSON.</param>
    /// <returns>Its answer.</returns>
    public static T Run<T>(string name, object input)
    {
        var folder = NodeInstallation.Require();
        var output = Run(Path.Combine(folder, name), folder, JsonSerializer.Serialize(input, JsonSerializerOptions.Web));
        return JsonSerializer.Deserialize<T>(output, JsonSerializerOptions.Web)!;
    }

    /// <summary>Runs a module as if its file were in the folder of <c>node_modules</c>.</summary>
    /// <returns>What it writes to standard output.</returns>
    public static string RunModule(string code, string workingFolder)
    {
        var file = Path.Combine(NodeInstallation.Require(), $"{Guid.NewGuid():N}.mjs");
        File.WriteAllText(file, code);
        try
        {
            return Run(file, workingFolder, "");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Run(string file, string workingFolder, string input)
    {
        var (exitCode, output, errors) = NodeInstallation.Run("node", ["--import", NoNetwork, file], workingFolder, input);
        Assert.True(exitCode == 0, errors.Length <= 2000 ? errors : $"...{errors[^2000..]}"); // the cause stands last, after whole tensors
        return output;
    }
}
