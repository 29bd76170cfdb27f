using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>A program printed on a page, compiled as a console project of the SDK compiles it.</summary>
internal sealed class PageProgram(string code)
{
    /// <summary>What a project with <c>ImplicitUsings</c> need not say.</summary>
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly Lazy<IReadOnlyList<MetadataReference>> s_references = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) != typeof(PageProgram).Assembly.GetName().Name + ".dll")
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    public string Code => code;

    /// <summary>The bytes of an assembly with an entry point.</summary>
    public byte[] Compile(string globalUsings = ImplicitUsings, LanguageVersion version = LanguageVersion.Default)
    {
        var options = new CSharpParseOptions(version);
        var compilation = CSharpCompilation.Create(
            $"Page{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(globalUsings, options), CSharpSyntaxTree.ParseText(code, options)],
            s_references.Value,
            new(OutputKind.ConsoleApplication, optimizationLevel: OptimizationLevel.Release,
                nullableContextOptions: NullableContextOptions.Enable));
        using var bytes = new MemoryStream();
        var result = compilation.Emit(bytes);
        var complaints = result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).ToList();
        Assert.True(complaints.Count == 0, $"{string.Join('\n', complaints)}\n{code}");
        return bytes.ToArray();
    }

    /// <summary>Runs it to its end in this process, in the current folder.</summary>
    public void Run()
    {
        var main = Assembly.Load(Compile()).EntryPoint!;
        main.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [Array.Empty<string>()], null);
    }
}
