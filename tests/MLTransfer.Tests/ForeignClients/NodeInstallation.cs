using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>
/// Node.js with the packages of <c>node/package-lock.json</c>, which npm installs once, under <c>artifacts</c>. Tests are skipped where
/// there is no Node.js or no way to the registry, but not in continuous integration, which must have both.
/// </summary>
internal static class NodeInstallation
{
    private static readonly Version s_oldestNode = new(20, 9); // as package.json says
    private static readonly string s_npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);
    private static readonly string[] s_errorsOfNoNetwork =
        ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT"];

    private static readonly Lazy<(string Folder, string? Missing)> s_installation = new(Install);

    /// <summary>
    /// The folder with the programs of this test project and <c>node_modules</c>. Skips the test where there can be none.
    /// </summary>
    public static string Require()
    {
        var (folder, missing) = s_installation.Value;
        if (missing is not null && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(missing);
        Assert.SkipWhen(missing is not null, missing ?? "");
        return folder;
    }

    private static (string Folder, string? Missing) Install()
    {
        var source = Path.Combine(RepositoryFiles.Root, "tests", "MLTransfer.Tests", "ForeignClients", "node");
        var packages = new[] { "package.json", "package-lock.json" };
        var hash = SHA256.HashData([.. packages.SelectMany(name => File.ReadAllBytes(Path.Combine(source, name)))]);
        var folder = Path.Combine(
            RepositoryFiles.Root, "artifacts", "node",
            $"{RuntimeInformation.RuntimeIdentifier}-{Convert.ToHexStringLower(hash.AsSpan(0, 8))}");

        if (Version("node") is not { } node)
            return (folder, "Node.js is not on the PATH.");
        if (node < s_oldestNode)
            return (folder, $"Node.js is {node}; {s_oldestNode} or later is needed.");
        if (!Directory.Exists(folder))
        {
            if (Version(s_npm) is null)
                return (folder, "npm is not on the PATH.");
            // Installed aside and renamed, so that a folder of this name is complete, whoever else installs at the same time.
            var aside = Directory.CreateDirectory($"{folder}.{Environment.ProcessId}").FullName;
            Copy(packages, source, aside);
            // Scripts of packages would download binaries for graphics cards; those for the processor are in the packages.
            var (exitCode, _, errors) = Run(
                s_npm, ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000"], aside);
            if (exitCode != 0)
            {
                Directory.Delete(aside, recursive: true);
                if (s_errorsOfNoNetwork.Any(error => errors.Contains(error, StringComparison.Ordinal)))
                    return (folder, $"npm reaches no registry: {errors}");
                throw new InvalidOperationException($"npm ci in '{source}' failed: {errors}");
            }

            try
            {
                Directory.Move(aside, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                Directory.Delete(aside, recursive: true);
            }
        }

        Copy(Directory.EnumerateFiles(source, "*.mjs").Select(path => Path.GetFileName(path)), source, folder);
        return (folder, null);
    }

    private static void Copy(IEnumerable<string> names, string source, string target)
    {
        foreach (var name in names)
            File.Copy(Path.Combine(source, name), Path.Combine(target, name), overwrite: true);
    }

    private static Version? Version(string program)
    {
        try
        {
            var (exitCode, output, _) = Run(program, ["--version"]);
            return exitCode == 0 && System.Version.TryParse(output.Trim().TrimStart('v'), out var version) ? version : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Runs a program to its end.</summary>
    public static (int ExitCode, string Output, string Errors) Run(
        string program, IEnumerable<string> arguments, string? workingFolder = null, string? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workingFolder ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = System.Text.Encoding.UTF8,
            StandardErrorEncoding = System.Text.Encoding.UTF8,
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            return (-1, "", $"'{program} {string.Join(' ', arguments)}' did not end in {s_limit.TotalSeconds} seconds.");
        }

        return (process.ExitCode, output.Result, errors.Result);
    }
}
